//! `[traces]`: who is told on what ways calls take.

use super::Profile;
use super::reader::Reader;
use super::smtp::is_this_machine;
use http::Uri;
use std::path::PathBuf;
use std::str::FromStr as _;

/// The port of OTLP over gRPC.
const USUAL_PORT: u16 = 4317;

/// `[traces]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Where the collector listens: `https://host:port`, or `http://host:port` on this machine.
    pub endpoint: String,
    /// The authorities that may have signed its certificate; `None` is those of the machine.
    pub ca_file: Option<PathBuf>,
    /// Which part of the calls is traced whose callers do not say: 0.0 to 1.0.
    pub ratio: f64,
}

impl Reader {
    /// Reads `[traces]`.
    #[expect(
        clippy::option_option,
        reason = "faulty, and well but absent, are different things"
    )]
    pub(super) fn traces(&mut self, profile: Profile<'_>) -> Option<Option<Traces>> {
        let endpoint = self.optional("traces.endpoint", |text| endpoint(text, profile));
        let ca_file = self.optional("traces.ca_file", PathBuf::from_str);
        let ratio = self.fraction("traces.ratio");
        let (endpoint, ca_file, ratio) = (endpoint?, ca_file?, ratio?);
        Some(endpoint.map(|endpoint| Traces {
            endpoint,
            ca_file,
            ratio,
        }))
    }
}

/// The address of a collector, with its port. It is told who calls what and when, which crosses no network
/// in clear.
fn endpoint(text: &str, profile: Profile<'_>) -> Result<String, &'static str> {
    const SHAPE: &str =
        r#"must be an address without a path such as "https://collector.example.com:4317""#;
    let uri: Uri = text.parse().map_err(|_| SHAPE)?;
    let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority())
    else {
        return Err(SHAPE);
    };
    let host = authority.host();
    // Nothing before the host, and behind it a port at the most.
    let behind = authority.as_str().strip_prefix(host).ok_or(SHAPE)?;
    let port = match behind.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_| SHAPE)?,
        None => USUAL_PORT,
    };
    if host.is_empty() || uri.path_and_query().is_some_and(|path| path != "/") {
        return Err(SHAPE);
    }
    if scheme == "http" && profile == Profile::Serve && !is_this_machine(host) {
        return Err(
            "must begin with https:// unless the collector is this machine: whoever listens on the way would learn who calls what; \
             give the collector a certificate, or run one on this machine that passes spans on",
        );
    }
    Ok(format!("{scheme}://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Path;

    #[test]
    fn a_collector_has_a_host_and_a_port_and_nothing_more() {
        for (text, read) in [
            ("https://otel.example.com", "https://otel.example.com:4317"),
            ("https://otel.example.com:1/", "https://otel.example.com:1"),
            ("http://127.0.0.1:4317", "http://127.0.0.1:4317"),
            ("http://[::1]", "http://[::1]:4317"),
            ("http://localhost:4317", "http://localhost:4317"),
        ] {
            assert_eq!(endpoint(text, Profile::Serve).as_deref(), Ok(read));
        }
        for text in [
            "otel.example.com:4317",
            "grpc://otel.example.com",
            "https://otel.example.com/v1/traces",
            "https://otel.example.com/?a",
            "https://user@otel.example.com",
            "https://otel.example.com:70000",
            "https://",
        ] {
            let refused = endpoint(text, Profile::Serve).unwrap_err();
            assert!(refused.contains("without a path"), "{text}: {refused}");
        }
    }

    #[test]
    fn no_span_crosses_a_network_in_clear_but_a_developers() {
        let far = "http://otel.internal:4317";
        let refused = endpoint(far, Profile::Serve).unwrap_err();
        assert!(refused.contains("on this machine that passes"), "{refused}");
        let data_dir = Path::new("demo");
        assert!(endpoint(far, Profile::Dev { data_dir }).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "(https?://)?.{0,30}") {
            if let Ok(read) = endpoint(&text, Profile::Serve) {
                prop_assert_eq!(endpoint(&read, Profile::Serve), Ok(read.clone()));
            }
        }
    }
}
