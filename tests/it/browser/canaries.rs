//! Where the tokens of links and the passwords that people choose must not be found, as a browser knows it.

use super::{configured, walk};
use crate::support::canaries::Canaries;
use serde::Deserialize;
use std::fs;

/// What the walk writes down.
#[derive(Deserialize)]
struct Findings {
    tokens: Vec<String>,
    passwords: Vec<String>,
    /// After both journeys.
    clean: Left,
    /// What was sent by then: the path and the body of each request.
    bodies: Vec<(String, String)>,
    /// After a page has told all of it.
    leaking: Left,
}

/// What is left of a walk.
#[derive(Deserialize)]
struct Left {
    /// Request lines, and the headers of requests and answers.
    heads: String,
    /// What the windows have been at.
    history: String,
    /// Cookies and whatever else a browser keeps for a page.
    storage: String,
}

/// The forms that carry a token or a password.
const FORMS: [&str; 5] = [
    "/cancel",
    "/reset",
    "/reset/check",
    "/reset/password",
    "/sign-in/password",
];

#[tokio::test]
async fn a_token_and_a_password_are_in_the_body_of_their_form_and_nowhere_else() {
    let dev = configured("log.filter = \"trace\"\n").await;
    walk("canaries.mjs", &dev).await;
    let findings = fs::read(dev.directory().join("findings")).unwrap();
    let findings: Findings = serde_json::from_slice(&findings).unwrap();
    let tokens = findings.tokens.iter();
    let canaries = tokens.fold(Canaries::default(), |canaries, token| {
        canaries.token("a token", token)
    });
    let passwords = findings.passwords.iter();
    let canaries = passwords.fold(canaries, |canaries, password| {
        canaries.value("a password", password)
    });

    let Left {
        heads,
        history,
        storage,
    } = &findings.clean;
    canaries.are_not_in("a request line or a header", heads);
    canaries.are_not_in("the history", history);
    canaries.are_not_in("what the browser keeps", storage);
    canaries.are_not_in("the log", dev.log());
    for (path, body) in &findings.bodies {
        if !FORMS.contains(&path.as_str()) {
            canaries.are_not_in(&format!("a form for {path}"), body);
        }
    }

    // There was something to search, and the search finds.
    assert!(heads.contains("POST http") && heads.contains("/reset/password"));
    assert!(history.contains("/reset/done") && storage.contains("relatch-session"));
    assert!(dev.log().contains("\"level\":\"TRACE\""));
    for form in FORMS {
        let mut bodies = findings.bodies.iter();
        let carries = |(path, body): &(String, String)| {
            path == form && !canaries.found_in(body.as_bytes()).is_empty()
        };
        assert!(bodies.any(carries), "{form}");
    }
    for (place, text) in [
        ("heads", &findings.leaking.heads),
        ("history", &findings.leaking.history),
        ("storage", &findings.leaking.storage),
    ] {
        assert!(!canaries.found_in(text.as_bytes()).is_empty(), "{place}");
    }
}
