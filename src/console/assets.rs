//! The stylesheet, the script and the logo: compiled in or read at the start, served under names that say what they hold.

use super::settings::{Logo, Settings};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../../templates/console/console.css");
const SCRIPT: &str = include_str!("../../templates/console/console.js");

/// A keyhole, for the browser's tab.
const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="ACCENT"/><path fill="#fff" d="M16 7a5 5 0 0 0-2.6 9.3L12 25h8l-1.4-8.7A5 5 0 0 0 16 7z"/></svg>"##;

/// A name says what is behind it, so that it never needs to be asked for again.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Where a page finds what it is dressed in.
pub(super) struct Assets {
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
    pub(super) logo: Option<String>,
}

/// The assets by these settings, and what serves them.
pub(super) fn assets<S: Clone + Send + Sync + 'static>(settings: &Settings) -> (Assets, Router<S>) {
    let style = format!(":root {{ --accent: {}; }}\n{STYLE}", settings.accent);
    let icon = ICON.replace("ACCENT", &settings.accent);
    let mut router = Router::new();
    let mut serve = |name: &str, ending: &str, media_type: &'static str, content: Bytes| {
        let digest = HEXLOWER.encode(&Sha256::digest(&content)[..8]);
        let path = format!("/assets/{name}.{digest}.{ending}");
        let answer = get(async move || {
            let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, FOR_EVER)];
            (headers, content.clone()).into_response()
        });
        router = std::mem::take(&mut router).route(&path, answer);
        path
    };
    let assets = Assets {
        style: serve("console", "css", "text/css; charset=utf-8", style.into()),
        script: serve(
            "console",
            "js",
            "text/javascript; charset=utf-8",
            Bytes::from_static(SCRIPT.as_bytes()),
        ),
        icon: serve("icon", "svg", "image/svg+xml", icon.into()),
        logo: settings.logo.as_ref().map(
            |Logo {
                 media_type,
                 content,
             }| {
                let ending = if *media_type == "image/png" {
                    "png"
                } else {
                    "svg"
                };
                serve("logo", ending, media_type, content.clone().into())
            },
        ),
    };
    (assets, router)
}
