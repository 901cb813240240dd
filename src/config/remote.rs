//! Where Relatch is for a console that is a process of its own, and as whom it calls: `relatch_…` of `[console]`.

use super::reader::Reader;
use super::smtp::is_this_machine;
use http::Uri;
use std::path::PathBuf;
use std::str::FromStr as _;

/// Where Relatch is, and as whom it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its API.
    pub url: Uri,
    /// The file that holds the token of the caller; `None` only with a certificate.
    pub token_file: Option<PathBuf>,
    /// The certificate by which the caller is known; `None` only with a token.
    pub certificate: Option<ClientCertificate>,
    /// The authorities that may have signed Relatch's certificate; `None` is those of the machine.
    pub ca_file: Option<PathBuf>,
}

/// A certificate that is shown to Relatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and those that lead to its root.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// The setting that says where it is.
pub(super) const URL: &str = "console.relatch_url";

impl Reader {
    /// Reads the `relatch_…` of `[console]`, which must say where Relatch is and as whom it is called.
    pub(super) fn remote(&mut self) -> Option<Remote> {
        const TOKEN: &str = "console.relatch_token_file";
        const PLAINTEXT: &str = "console.relatch_plaintext";
        let what = r#"where Relatch's API is, such as "https://relatch.internal:50051""#;
        let url = self.required(URL, what, url);
        let token_file = self.optional(TOKEN, PathBuf::from_str);
        let certificate = self.client_certificate();
        let ca_file = self.optional("console.relatch_ca_file", PathBuf::from_str);
        let plaintext = self.flag(PLAINTEXT);
        let (token_file, certificate) = (token_file?, certificate?);
        if token_file.is_none() && certificate.is_none() {
            return self.refuse(
                TOKEN,
                "must be set, or console.relatch_cert_file and console.relatch_key_file: how Relatch knows the console; \
                 `relatch caller new` makes a token",
            );
        }
        let (url, ca_file, plaintext) = (url?, ca_file?, plaintext?);
        if url.scheme_str() == Some("http") {
            if !plaintext && !is_this_machine(url.host().unwrap_or_default()) {
                return self.refuse(
                    URL,
                    "must begin with https:// unless Relatch is this machine: whoever listens on the way would read passwords; \
                     or set console.relatch_plaintext if something else protects the way",
                );
            }
            if certificate.is_some() || ca_file.is_some() {
                return self.refuse(URL, "must begin with https:// for certificates to be shown");
            }
        }
        Some(Remote {
            url,
            token_file,
            certificate,
            ca_file,
        })
    }

    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    fn client_certificate(&mut self) -> Option<Option<ClientCertificate>> {
        const CERT: &str = "console.relatch_cert_file";
        const KEY: &str = "console.relatch_key_file";
        let cert_file = self.optional(CERT, PathBuf::from_str);
        let key_file = self.optional(KEY, PathBuf::from_str);
        match (cert_file?, key_file?) {
            (None, None) => Some(None),
            (Some(cert_file), Some(key_file)) => Some(Some(ClientCertificate {
                cert_file,
                key_file,
            })),
            (Some(_), None) => self.refuse(KEY, "must be set: the certificate's private key"),
            (None, Some(_)) => self.refuse(CERT, "must be set: the certificate of the key"),
        }
    }
}

/// The address of an API: a scheme, a host, perhaps a port, and nothing more.
fn url(text: &str) -> Result<Uri, &'static str> {
    const EXPECTED: &str =
        r#"must be a web address without a path such as "https://relatch.internal:50051""#;
    let url: Uri = text.parse().map_err(|_| EXPECTED)?;
    let authority = url.authority().ok_or(EXPECTED)?;
    let bare = matches!(url.scheme_str(), Some("https" | "http"))
        && !authority.host().is_empty()
        && !authority.as_str().contains('@')
        && url.path_and_query().is_none_or(|path| path == "/");
    bare.then_some(url).ok_or(EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_api_has_a_host_and_no_path() {
        for text in [
            "https://relatch.internal:50051",
            "https://relatch.internal",
            "http://[::1]:50051/",
        ] {
            assert!(url(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "relatch.internal:50051",
            "grpc://relatch.internal",
            "https://user@relatch.internal",
            "https://relatch.internal/v1",
            "https://relatch.internal?a",
            "https://",
        ] {
            assert!(url(text).unwrap_err().contains("without a path"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(https?://)?.{0,30}") {
            if let Ok(read) = url(&text) {
                prop_assert_eq!(url(&read.to_string()), Ok(read));
            }
        }
    }
}
