//! Nobody acts on another's account, whatever they alter: the account is the session's, and no form or cookie names one.

use super::Scene;
use super::browser::encoded;
use crate::support::requests::{OTHER_PASSWORD, PASSWORD};

/// What somebody could think that the console believes of them.
const CLAIMS: [&str; 6] = ["account_id", "account", "email", "id", "user", "username"];

/// Every form of a signed-in person, with what it takes to be read.
const FORMS: [(&str, &[(&str, &str)]); 11] = [
    ("/security/link", &[("request_id", "r")]),
    (
        "/security/password",
        &[
            ("present", OTHER_PASSWORD),
            ("password", "granite umbrella Monday choir"),
            ("repeated", "granite umbrella Monday choir"),
            ("request_id", "r"),
        ],
    ),
    ("/security/password/check", &[("password", "x")]),
    ("/security/factor", &[("factor", "1")]),
    ("/security/app", &[]),
    ("/security/app/code", &[("code", "123456")]),
    ("/security/recovery-codes", &[]),
    ("/security/email", &[("address", "mallory@example.net")]),
    ("/security/phone", &[("address", "+14155550199")]),
    ("/security/address/code", &[("code", "123456")]),
    ("/sign-out-everywhere", &[]),
];

#[tokio::test]
async fn no_altered_form_or_cookie_reaches_another_account() {
    let scene = Scene::start().await;
    let victim = scene.server.person("victim@example.com", PASSWORD).await;
    let mut victims = scene.browser();
    scene
        .sign_in(&mut victims, "victim@example.com", PASSWORD)
        .await;
    let before = scene.server.info(&victim.account_id).await;
    let seen = scene.server.messages(&victim.account_id).await.len();

    for (number, (path, fields)) in FORMS.into_iter().enumerate() {
        let mut mallory = scene.browser();
        let email = format!("mallory{number}@example.com");
        scene.server.person(&email, OTHER_PASSWORD).await;
        scene.sign_in(&mut mallory, &email, OTHER_PASSWORD).await;
        let form = mallory.get("/security").await.fields("/sign-out").remove(0);
        let mut sent: Vec<_> = fields
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect();
        sent.push(form.clone());
        for claim in CLAIMS {
            sent.push((claim.to_owned(), victim.account_id.clone()));
        }
        for (name, value) in [
            ("account_id", victim.account_id.as_str()),
            ("__Host-relatch-account", victim.account_id.as_str()),
        ] {
            mallory.cookies.insert(name.to_owned(), value.to_owned());
        }
        let query = format!("{path}?account_id={}", victim.account_id);
        mallory.post(&query, &encoded(&sent)).await;
        // The victim's form with one's own session, and one's own form with the victim's cookie of forms.
        let theirs = victims.get("/security").await.fields("/sign-out").remove(0);
        let altered: Vec<_> = fields
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .chain([theirs])
            .collect();
        let refused = mallory.post(path, &encoded(&altered)).await;
        assert!(
            [303, 403].contains(&refused.status),
            "{path}: {}",
            refused.status
        );
        // A session that is guessed, cut, or the hash of one.
        for session in ["", "x", &"A".repeat(43), &victim.account_id] {
            let mut stranger = scene.browser();
            stranger.get("/sign-in").await;
            let form = stranger.page.fields("/sign-in").remove(0);
            stranger
                .cookies
                .insert("__Host-relatch-session".to_owned(), session.to_owned());
            let sent: Vec<_> = fields
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
                .chain([form])
                .collect();
            let refused = stranger.post(path, &encoded(&sent)).await;
            assert_eq!(
                (refused.status, refused.location()),
                (303, "/sign-in"),
                "{path} {session}"
            );
        }
    }
    scene.server.settled().await;
    assert_eq!(scene.server.info(&victim.account_id).await, before);
    assert_eq!(scene.server.messages(&victim.account_id).await.len(), seen);
    assert_eq!(victims.get("/security").await.status, 200);
}
