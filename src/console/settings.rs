//! What a console is given.

use std::net::IpAddr;
use std::path::PathBuf;

/// Tells the networks of trusted proxies.
pub type Networks = Box<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// What a console is given.
pub struct Settings {
    /// Where browsers find it: scheme, host and port.
    pub origin: String,
    /// What people know as the place they have an account with.
    pub product_name: String,
    /// Whom people can ask for help.
    pub support_contact: Option<String>,
    /// Whom to tell of a weakness: a `mailto:` or `https:` address.
    pub security_contact: Option<String>,
    /// The colour of buttons.
    pub accent: String,
    /// A picture for the top of each page.
    pub logo: Option<Logo>,
    /// Whose word for who asks is believed.
    pub trusted_proxies: Networks,
    /// Where it keeps who is signed in.
    pub directory: PathBuf,
    /// The address of the demonstration's inbox, if this is one.
    pub inbox: Option<String>,
}

/// A picture.
pub struct Logo {
    /// Its media type.
    pub media_type: &'static str,
    /// What its file holds.
    pub content: Vec<u8>,
}

/// What a page shows of the place it belongs to.
pub(super) struct Brand {
    pub(super) product_name: String,
    pub(super) support_contact: Option<String>,
    pub(super) inbox: Option<String>,
}

impl Brand {
    /// What leads to whom people can ask, if it is an address that a browser can open.
    pub(super) fn support_link(&self) -> Option<String> {
        let contact = self.support_contact.as_deref()?;
        if contact.starts_with("https://") {
            Some(contact.to_owned())
        } else if contact.contains('@') && !contact.contains(char::is_whitespace) {
            Some(format!("mailto:{contact}"))
        } else {
            None
        }
    }
}
