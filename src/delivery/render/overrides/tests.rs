use std::fs;

use tempfile::TempDir;

use super::*;
use crate::delivery::render::{Asked, Brand, Renderer};
use crate::domain::message::Notice;

/// A template directory that holds `files`.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, source) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }
    directory
}

const fn mails_in(directory: &Path) -> TemplateDirs<'_> {
    TemplateDirs {
        mail: Some(directory),
        sms: None,
    }
}

fn renderer(files: &[(&str, &str)]) -> Result<Renderer, TemplateError> {
    let brand = Brand {
        product_name: "Acme".to_owned(),
        support_contact: None,
    };
    Renderer::new(&brand, mails_in(directory(files).path()))
}

/// What is said about `files`, the directory's own path left out.
fn complaint(files: &[(&str, &str)]) -> String {
    let brand = BrandContent {
        product_name: "Acme".to_owned(),
        support_contact: String::new(),
    };
    let directory = directory(files);
    let error = Overrides::read(mails_in(directory.path()), &brand).unwrap_err();
    let path = format!("{}/", directory.path().display());
    error.to_string().replace(&path, "")
}

fn reset_link() -> Mail<'static> {
    Mail::ResetLink(sample::reset_link("Ada", Asked::AtSignIn))
}

#[test]
fn a_file_takes_the_place_of_the_compiled_in_one() {
    let renderer = renderer(&[(
        "en/reset_link.txt",
        "Subject: A new password for {{ mail.name }}\r\n\r\nHere: {{ mail.reset_url }}\r\n",
    )])
    .unwrap();
    let mail = renderer.render("en", &reset_link()).unwrap();
    assert_eq!(mail.subject, "A new password for Ada");
    assert!(mail.text.starts_with("Here:\nhttps://"), "{}", mail.text);
    assert!(mail.html.contains("Reset My Password"));
}

#[test]
fn what_the_directory_lacks_is_taken_from_the_compiled_in_templates() {
    let brand = Brand {
        product_name: "Acme".to_owned(),
        support_contact: None,
    };
    let with = renderer(&[]).unwrap();
    let without = Renderer::new(&brand, TemplateDirs::default()).unwrap();
    for locale in ["en", "de-AT", "fr"] {
        let mail = with.render(locale, &reset_link()).unwrap();
        assert!(
            mail == without.render(locale, &reset_link()).unwrap(),
            "{locale}"
        );
    }
}

#[test]
fn a_layout_takes_the_place_of_the_compiled_in_one_in_every_mail() {
    let layout = "<main lang={{ mail.language }}>{% block content %}{% endblock %}</main>";
    let renderer = renderer(&[("layout.html", layout)]).unwrap();
    for (locale, button) in [
        ("en", "Reset My Password"),
        ("de", "Mein Passwort zurücksetzen"),
    ] {
        let html = renderer.render(locale, &reset_link()).unwrap().html;
        assert!(html.starts_with(&format!("<main lang={locale}>")), "{html}");
        assert!(html.contains(button));
    }
}

#[test]
fn a_further_directory_adds_its_language_for_the_mails_it_holds() {
    let renderer = renderer(&[
        (
            "fr/reset_link.txt",
            "Subject: Votre mot de passe\n\n{{ mail.reset_url }} ({{ mail.lifetime }}, {{ mail.expires_at }})",
        ),
        (
            "fr/reset_link.html",
            "{% extends \"../layout.html\" %}{% block content %}{{ mail.reset_url }}{% endblock %}",
        ),
    ])
    .unwrap();
    let mail = renderer.render("fr-CA", &reset_link()).unwrap();
    assert_eq!(mail.subject, "Votre mot de passe");
    assert!(
        mail.text.contains("(30 min, 2026-11-23 14:32 UTC)"),
        "{}",
        mail.text
    );
    assert!(mail.html.contains("<html lang=\"fr\">"));

    let unknown = crate::domain::user_agent::BrowserAndSystem::recognise("");
    let notice = Mail::Notice(sample::notice(Notice::PasswordChanged, "", unknown));
    let mail = renderer.render("fr-CA", &notice).unwrap();
    assert_eq!(mail.subject, "Your Acme password was changed");
}

#[test]
fn values_are_escaped_in_html_only() {
    let renderer = renderer(&[
        (
            "en/password_changed.txt",
            "Subject: Changed\n\n{{ mail.name }}",
        ),
        ("en/password_changed.html", "{{ mail.name }}"),
    ])
    .unwrap();
    let unknown = crate::domain::user_agent::BrowserAndSystem::recognise("");
    let notice = Mail::Notice(sample::notice(
        Notice::PasswordChanged,
        "<img onerror='x'>",
        unknown,
    ));
    let mail = renderer.render("en", &notice).unwrap();
    assert_eq!(mail.text, "<img onerror='x'>\n");
    assert_eq!(mail.html, "&#60;img onerror=&#39;x&#39;&#62;");
}

#[test]
fn a_link_escaped_by_hand_counts_as_shown() {
    renderer(&[(
        "en/reset_link.html",
        "<a href=\"{{ mail.reset_url|e }}\">Go</a>",
    )])
    .unwrap();
}

#[test]
fn names_that_begin_with_a_dot_are_passed_over() {
    renderer(&[("..data/en/unknown.txt", ""), ("de/.swp", "")]).unwrap();
}

#[test]
fn a_mistake_is_refused_with_file_line_and_what_is_wrong() {
    let link = "Subject: Link\n\n{{ mail.reset_url }}\n";
    let cases: [(&[(&str, &str)], &str); 12] = [
        (
            &[(
                "en/reset_link.txt",
                "Subject: Link\n\n{{ mail.reset_url }}\n{{ mail.reset_ulr }}",
            )],
            "template mail/en/reset_link.txt, line 4: undefined value: `mail.reset_ulr` is undefined",
        ),
        (
            &[(
                "en/reset_link.txt",
                "Subject: Link\n\n{{ mail.reset_url }}{% if mail.from_profile %}{{ mial }}{% endif %}",
            )],
            "template mail/en/reset_link.txt, line 3: undefined value: `mial` is undefined",
        ),
        (
            &[("layout.html", "<main>\n{{ mail.reset_url }}</main>")],
            "template mail/layout.html, line 2: undefined value: `mail.reset_url` is undefined",
        ),
        (
            &[("de/reset_link.html", "<p>\n{% if mail.name %}\n</p>")],
            "template mail/de/reset_link.html, line 2: syntax error: \
             unexpected end of input, expected end of block",
        ),
        (
            &[("de/reset_link.html", "{% extends \"layout.html\" %}")],
            "template mail/de/reset_link.html, line 1: template not found: \
             template \"mail/de/layout.html\" does not exist",
        ),
        (
            &[("en/reset_link.txt", "Hello\n{{ mail.reset_url }}")],
            "template mail/en/reset_link.txt, line 1: \
             expected \"Subject: \" with a subject, then an empty line",
        ),
        (
            &[("en/reset_link.html", "<p>Hello</p>")],
            "template mail/en/reset_link.html never shows {{ mail.reset_url }}",
        ),
        (
            &[("fr/reset_link.txt", link)],
            "template mail/fr/reset_link.txt needs mail/fr/reset_link.html beside it",
        ),
        (
            &[("en/reset-link.txt", link)],
            "en/reset-link.txt is not a template: expected reset_link.txt, reset_link.html, invitation.txt, \
             invitation.html, address_code.txt, address_code.html, code.txt, code.html, second_factor_removal.txt, second_factor_removal.html, \
             password_changed.txt, password_changed.html, \
             address_changed.txt, address_changed.html, recovery_code_used.txt, recovery_code_used.html, \
             second_factor_changed.txt, second_factor_changed.html, recovery_codes_renewed.txt, \
             recovery_codes_renewed.html, wrong_passwords.txt, wrong_passwords.html, wrong_second_factors.txt, \
             wrong_second_factors.html, password_compromised.txt, password_compromised.html",
        ),
        (
            &[("english/reset_link.txt", link)],
            "english is not a template: \
             expected layout.html or a language directory such as fr or pt-BR",
        ),
        (
            &[("reset_link.txt", link)],
            "reset_link.txt is not a template: \
             expected layout.html or a language directory such as fr or pt-BR",
        ),
        (
            &[("layout.html/en", "")],
            "layout.html is not a template: \
             expected layout.html or a language directory such as fr or pt-BR",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(complaint(files), expected);
    }
}

#[test]
fn a_directory_that_cannot_be_read_is_refused() {
    let brand = Brand {
        product_name: "Acme".to_owned(),
        support_contact: None,
    };
    let error = Renderer::new(&brand, mails_in(Path::new("/nowhere/mail"))).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot read /nowhere/mail: "),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_utf_8_is_refused() {
    let directory = directory(&[("en/reset_link.txt", "")]);
    fs::write(directory.path().join("en/reset_link.txt"), [0xff, 0xfe]).unwrap();
    let brand = BrandContent {
        product_name: String::new(),
        support_contact: String::new(),
    };
    let error = Overrides::read(mails_in(directory.path()), &brand).unwrap_err();
    assert!(matches!(error, TemplateError::Unreadable { .. }), "{error}");
}

#[test]
fn a_failure_over_a_real_mail_quotes_no_value() {
    let trips_over_long_links = "Subject: Link\n\n\
        {{ mail.reset_url }}{% if mail.name == \"Eve\" %}{{ mail.reset_url|int }}{% endif %}";
    let renderer = renderer(&[("en/reset_link.txt", trips_over_long_links)]).unwrap();
    let mail = Mail::ResetLink(sample::reset_link("Eve", Asked::AtSignIn));
    let error = renderer.render("en", &mail).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template mail/en/reset_link.txt, line 3: invalid operation"
    );
    assert!(!format!("{error:?}").contains("rlt1_"));
}

/// What becomes of text messages with `files` as their templates.
fn texts_by(files: &[(&str, &str)]) -> Result<Renderer, String> {
    let brand = Brand {
        product_name: "Acme".to_owned(),
        support_contact: None,
    };
    let directory = directory(files);
    let own = TemplateDirs {
        mail: None,
        sms: Some(directory.path()),
    };
    let path = format!("{}/", directory.path().display());
    Renderer::new(&brand, own).map_err(|error| error.to_string().replace(&path, ""))
}

#[test]
fn text_messages_have_a_directory_of_their_own() {
    let renderer = texts_by(&[
        ("en/reset_link.txt", "Go: {{ sms.reset_url }}\r\n\r\n"),
        (
            "fr/reset_link.txt",
            "{{ brand.product_name }} : {{ sms.lifetime }}\n{{ sms.reset_url }}",
        ),
    ])
    .unwrap();
    let text = |locale| renderer.render_sms(locale, &reset_link()).unwrap();
    assert!(text("en").starts_with("Go: https://") && !text("en").ends_with('\n'));
    assert!(text("fr-CA").starts_with("Acme : 30 min\nhttps://"));
    assert!(text("de").starts_with("Acme: Hier"), "{}", text("de"));
    let mail = renderer.render("en", &reset_link()).unwrap();
    assert_eq!(mail.subject, "Reset your Acme password");
}

#[test]
fn a_mistake_in_a_text_message_is_refused_too() {
    let cases: [(&[(&str, &str)], &str); 5] = [
        (
            &[("en/reset_link.txt", "Go there")],
            "template sms/en/reset_link.txt never shows {{ sms.reset_url }}",
        ),
        (
            &[("fr/reset_link.txt", "{{ mail.reset_url }}")],
            "template sms/fr/reset_link.txt, line 1: undefined value: `mail` is undefined",
        ),
        (
            &[(
                "de/password_changed.txt",
                "{% if sms.browser == \"\" %}Geändert{% endif %}\n",
            )],
            "template sms/de/password_changed.txt says nothing",
        ),
        (
            &[("en/reset_link.html", "{{ sms.reset_url }}")],
            "en/reset_link.html is not a template: \
             expected reset_link.txt, address_code.txt, code.txt, second_factor_removal.txt, password_changed.txt, address_changed.txt, \
             recovery_code_used.txt, second_factor_changed.txt, recovery_codes_renewed.txt, wrong_passwords.txt, \
             wrong_second_factors.txt, password_compromised.txt",
        ),
        (
            &[("layout.html", "")],
            "layout.html is not a template: expected a language directory such as fr or pt-BR",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(texts_by(files).err().as_deref(), Some(expected));
    }
}
