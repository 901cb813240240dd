//! The console's address before the console: says what is to come, and what to do with a link until
//! then.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

use crate::web::{inline_policy, page, protected};

const STYLE: &str = include_str!("../../templates/console/coming.css");
const SCRIPT: &str = include_str!("../../templates/console/coming.js");

/// Where the rest of Relatch is to be found meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meanwhile {
    /// The gRPC listener, as `host:port`.
    pub grpc: String,
    /// Whether it speaks gRPC without TLS.
    pub plaintext: bool,
    /// The address of the dev inbox, where there is one.
    pub inbox: Option<String>,
}

/// What a link of a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Reset,
    Cancel,
}

impl Link {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Reset => "rlt1_",
            Self::Cancel => "rlc1_",
        }
    }

    const fn method(self) -> &'static str {
        match self {
            Self::Reset => "ConfirmReset",
            Self::Cancel => "CancelReset",
        }
    }
}

#[derive(Template)]
#[template(path = "console/coming.html")]
struct Coming<'a> {
    style: &'static str,
    script: &'static str,
    meanwhile: &'a Meanwhile,
    /// The link that led here, if one did.
    link: Option<Link>,
    /// Whether there is such a page.
    found: bool,
}

impl<'a> Coming<'a> {
    const fn new(meanwhile: &'a Meanwhile) -> Self {
        Self {
            style: STYLE,
            script: SCRIPT,
            meanwhile,
            link: None,
            found: true,
        }
    }
}

/// The start page, and the pages that messages link to. What a link's token is never reaches the
/// server: it stands in the fragment, and a script in the browser puts it into the command.
pub fn router(meanwhile: Meanwhile) -> Router {
    let meanwhile = Arc::new(meanwhile);
    let shows = |link: Option<Link>| {
        let meanwhile = Arc::clone(&meanwhile);
        get(async move || {
            page(&Coming {
                link,
                ..Coming::new(&meanwhile)
            })
        })
    };
    let router = Router::new()
        .route("/", shows(None))
        .route("/reset", shows(Some(Link::Reset)))
        .route("/cancel", shows(Some(Link::Cancel)))
        .fallback(async move || nothing_here(&meanwhile));
    protected(router, inline_policy(STYLE, SCRIPT, ""))
}

fn nothing_here(meanwhile: &Meanwhile) -> Response {
    let page = page(&Coming {
        found: false,
        ..Coming::new(meanwhile)
    });
    (StatusCode::NOT_FOUND, page).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    fn meanwhile() -> Meanwhile {
        Meanwhile {
            grpc: "127.0.0.1:7070".to_owned(),
            plaintext: true,
            inbox: Some("http://127.0.0.1:7072".to_owned()),
        }
    }

    async fn shown(meanwhile: Meanwhile, path: &str) -> (StatusCode, String, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(meanwhile).oneshot(request).await.unwrap();
        let status = response.status();
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = to_bytes(response.into_body(), 100_000).await.unwrap();
        (status, policy, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The commands on a page, as they are copied.
    fn commands(page: &str) -> String {
        let blocks = page.split("<pre ").skip(1);
        let commands = blocks.map(|block| {
            let (_, command) = block.split_once('>').unwrap();
            command.split_once("</pre>").unwrap().0
        });
        let commands: Vec<_> = commands.collect();
        commands
            .join("\n")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
    }

    #[tokio::test]
    async fn the_start_page_says_what_is_to_come_and_where_the_rest_is() {
        let (status, _, page) = shown(meanwhile(), "/").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("Forgot password?") && page.contains("Profile → Security"));
        assert!(page.contains("href=\"http://127.0.0.1:7072\""));
        assert_eq!(
            commands(&page),
            "grpcurl -plaintext \\\n  -H \"authorization: Bearer $RELATCH_TOKEN\" \\\n  127.0.0.1:7070 list"
        );
    }

    #[tokio::test]
    async fn without_a_dev_inbox_none_is_named_and_tls_stays_on() {
        let meanwhile = Meanwhile {
            plaintext: false,
            inbox: None,
            ..meanwhile()
        };
        for path in ["/", "/reset", "/cancel"] {
            let (_, _, page) = shown(meanwhile.clone(), path).await;
            assert!(
                !page.contains("inbox") && !page.contains("-plaintext"),
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn a_links_page_shows_the_command_that_uses_the_link() {
        let (status, _, page) = shown(meanwhile(), "/reset").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("data-prefix=\"rlt1_\"") && page.contains("<noscript>"));
        assert_eq!(
            commands(&page),
            "grpcurl -plaintext \\\n  -H \"authorization: Bearer $RELATCH_TOKEN\" \\\n  \
             -d '{\n    \"token\": \"TOKEN\",\n    \"new_password\": \"???\",\n    \"client\": {\"ip\": \"127.0.0.1\"}\n  }' \\\n  \
             127.0.0.1:7070 relatch.v1.PasswordService/ConfirmReset"
        );

        let (_, _, page) = shown(meanwhile(), "/cancel").await;
        assert!(page.contains("data-prefix=\"rlc1_\""));
        assert!(commands(&page).contains(
            "-d '{\n    \"cancel_token\": \"TOKEN\",\n    \"client\": {\"ip\": \"127.0.0.1\"}\n  }' \\\n  \
             127.0.0.1:7070 relatch.v1.PasswordService/CancelReset"
        ));
    }

    #[tokio::test]
    async fn any_other_address_is_not_found_and_not_echoed() {
        let (status, policy, page) = shown(meanwhile(), "/.well-known/%3Cscript%3E?x=y").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(page.contains("Nothing here") && !page.contains("well-known"));
        assert!(policy.starts_with("default-src 'none'"));
    }

    #[tokio::test]
    async fn only_the_pages_own_style_and_script_run() {
        let (_, policy, page) = shown(meanwhile(), "/reset").await;
        assert!(page.contains(&format!("<style>{STYLE}</style>")));
        assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
        assert_eq!(inline_policy(STYLE, SCRIPT, ""), policy);
        for outside in ["src=", "<link", "style=", "onclick", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
