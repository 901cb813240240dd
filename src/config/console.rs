//! `[console]`: the web pages for people.

use super::Profile;
use super::reader::Reader;
use super::security_contact::SecurityContact;
use crate::domain::page::Origin;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

/// `[console]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Where browsers, or what stands before it, reach it; `None` is no pages.
    pub listen: Option<SocketAddr>,
    /// Whether TLS is spoken there.
    pub tls: bool,
    /// Where browsers find it; `None`, only in development, is where it listens.
    pub url: Option<Origin>,
    /// Where it keeps who is signed in; `None`, only in development, is beside the database.
    pub directory: Option<PathBuf>,
    /// The networks of proxies whose word for who asks is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The colour of buttons, as `#` and six digits.
    pub accent: Accent,
    /// A picture for the top of each page.
    pub logo_file: Option<PathBuf>,
    /// Whom to tell of a weakness; `None` is nobody.
    pub security_contact: Option<SecurityContact>,
}

/// A colour on which white text can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accent(String);

impl Accent {
    /// Reads `#rrggbb`; white text on it has a contrast of 4.5 to 1 at least (WCAG 1.4.3).
    fn parse(text: &str) -> Result<Self, &'static str> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let value = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .ok_or("must be a colour such as \"#1d4fd7\"")?;
        let [_, red, green, blue] = value.to_be_bytes().map(linear);
        let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        if 1.05 / (luminance + 0.05) < 4.5 {
            return Err("is too light: white text on it could not be read by everybody");
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of a colour as light (WCAG, relative luminance).
fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.040_45 {
        part / 12.92
    } else {
        ((part + 0.055) / 1.055).powf(2.4)
    }
}

impl Reader {
    /// Reads `[console]`. Pages of the service proper have a name of their own, by https, and a directory.
    pub(super) fn console(&mut self, profile: Profile<'_>) -> Option<Console> {
        const URL: &str = "console.url";
        const DIRECTORY: &str = "console.directory";
        let listener = self.listener("console", profile);
        let mut url = self.optional(URL, Origin::parse);
        let mut directory = self.optional(DIRECTORY, PathBuf::from_str);
        let trusted_proxies = self.list("console.trusted_proxies", |text| {
            IpNet::from_str(text).map_err(|_| r#"must be a network such as "10.1.0.0/16""#)
        });
        let accent = self.text("console.accent", Accent::parse);
        let logo_file = self.optional("console.logo_file", PathBuf::from_str);
        let security_contact = self.optional("console.security_contact", SecurityContact::parse);
        let listener = listener?;
        if matches!(profile, Profile::Serve) && listener.listen.is_some() {
            if url == Some(None) {
                url = self.refuse(
                    URL,
                    r#"must be set: where browsers find the console, such as "https://login.example.com""#,
                );
            }
            if directory == Some(None) {
                directory = self.refuse(DIRECTORY, "must be set: where it keeps who is signed in");
            }
        }
        Some(Console {
            listen: listener.listen,
            tls: listener.tls,
            url: url?,
            directory: directory?,
            trusted_proxies: trusted_proxies?,
            accent: accent?,
            logo_file: logo_file?,
            security_contact: security_contact?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accent_bears_white_text() {
        assert_eq!(Accent::parse("#1D4FD7").unwrap().as_str(), "#1d4fd7");
        assert!(Accent::parse("#767676").is_ok());
        assert!(Accent::parse("#777777").unwrap_err().contains("too light"));
        for text in ["", "#12345", "#12345g", "1d4fd7", "#+1d4fd", "red"] {
            assert!(Accent::parse(text).is_err(), "{text}");
        }
    }
}
