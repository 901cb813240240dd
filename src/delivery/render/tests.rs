use proptest::prelude::*;

use super::single_line::tests::any_text;
use super::*;
use crate::domain::user_agent::{Browser, System};

const LANGUAGES: [&str; 2] = ["en", "de"];

fn brand() -> Brand {
    Brand {
        product_name: "Acme".to_owned(),
        support_contact: Some("support@example.com".to_owned()),
    }
}

fn rendered(locale: &str, mail: &Mail<'_>) -> RenderedMail {
    let renderer = Renderer::new(&brand(), TemplateDirs::default()).unwrap();
    renderer.render(locale, mail).unwrap()
}

fn asked_at_sign_in(display_name: &str) -> Mail<'_> {
    Mail::ResetLink(sample::reset_link(display_name, Asked::AtSignIn))
}

fn asked_from_profile(display_name: &str) -> Mail<'_> {
    Mail::ResetLink(sample::reset_link(display_name, Asked::FromProfile))
}

fn invitation(display_name: &str) -> Mail<'_> {
    Mail::ResetLink(ResetLink {
        lifetime: Duration::from_hours(72),
        ..sample::reset_link(display_name, Asked::ByInvitation)
    })
}

fn changed(display_name: &str) -> Mail<'_> {
    notice(Notice::PasswordChanged, display_name)
}

fn code(for_sign_in: bool) -> Mail<'static> {
    Mail::Code(sample::code("Ada Lovelace", for_sign_in))
}

fn notice(about: Notice, display_name: &str) -> Mail<'_> {
    let device = BrowserAndSystem {
        browser: Browser::Firefox,
        system: System::Linux,
    };
    Mail::Notice(sample::notice(about, display_name, device))
}

/// Every sample mail in every compiled-in language.
fn all_rendered() -> impl Iterator<Item = RenderedMail> {
    LANGUAGES.into_iter().flat_map(|language| {
        let mails = sample::mails();
        mails.into_iter().map(move |mail| rendered(language, &mail))
    })
}

/// The values of `attribute` in `html`.
fn values_of<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    html.split(&format!(" {attribute}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn the_mails_read_as_they_should() {
    let whole = |mail: RenderedMail| {
        let RenderedMail {
            subject,
            text,
            html,
        } = mail;
        format!("{subject}\n\n======== text ========\n{text}\n======== html ========\n{html}")
    };
    for language in LANGUAGES {
        let snapshot = |name: &str, mail: &Mail<'_>| {
            insta::assert_snapshot!(
                format!("{language}_{name}"),
                whole(rendered(language, mail))
            );
        };
        snapshot(
            "reset_link_asked_at_sign_in",
            &asked_at_sign_in("Ada Lovelace"),
        );
        snapshot(
            "reset_link_asked_from_profile",
            &asked_from_profile("Ada Lovelace"),
        );
        snapshot("address_code", &Mail::AddressCode(sample::address_code()));
        snapshot("invitation", &invitation("Ada Lovelace"));
        snapshot("sign_in_code", &code(true));
        snapshot("reset_code", &code(false));
        let removal = Mail::FactorRemoval(sample::factor_removal("Ada Lovelace"));
        snapshot(removal.stem(ChannelKind::Email), &removal);
        for about in Notice::ALL {
            let mail = notice(about, "Ada Lovelace");
            snapshot(mail.stem(ChannelKind::Email), &mail);
        }
    }
}

#[test]
fn a_mail_with_nothing_but_the_necessary_reads_as_it_should() {
    let brand = Brand {
        product_name: "Acme".to_owned(),
        support_contact: None,
    };
    let unknown = BrowserAndSystem {
        browser: Browser::Unknown,
        system: System::Unknown,
    };
    let renderer = Renderer::new(&brand, TemplateDirs::default()).unwrap();
    let link = renderer.render("en", &asked_at_sign_in("")).unwrap();
    insta::assert_snapshot!("bare_reset_link", link.text);
    let removal = Mail::FactorRemoval(sample::factor_removal(""));
    let removal = renderer.render("en", &removal).unwrap();
    insta::assert_snapshot!("bare_second_factor_removal", removal.text);
    for about in Notice::ALL {
        let notice = Mail::Notice(sample::notice(about, "", unknown));
        let text = renderer.render("en", &notice).unwrap().text;
        insta::assert_snapshot!(format!("bare_{}", notice.stem(ChannelKind::Email)), text);
    }
}

/// A reset link as it is sent by text message.
fn by_sms() -> Mail<'static> {
    Mail::ResetLink(ResetLink {
        lifetime: Duration::from_mins(10),
        ..sample::reset_link("Ada Lovelace", Asked::FromProfile)
    })
}

/// Every text message in every compiled-in language.
fn all_texts() -> impl Iterator<Item = String> {
    let renderer = Renderer::new(&brand(), TemplateDirs::default()).unwrap();
    LANGUAGES.into_iter().flat_map(move |language| {
        let mails = sample::mails().into_iter().chain([by_sms()]);
        let texts: Vec<_> = mails
            .map(|mail| renderer.render_sms(language, &mail).unwrap())
            .collect();
        texts
    })
}

#[test]
fn the_text_messages_read_as_they_should() {
    let renderer = Renderer::new(&brand(), TemplateDirs::default()).unwrap();
    for language in LANGUAGES {
        let address = Mail::AddressCode(sample::address_code());
        let removal = Mail::FactorRemoval(sample::factor_removal("Ada Lovelace"));
        let mut texts: Vec<_> = [by_sms(), code(true), code(false), address, removal]
            .map(|mail| renderer.render_sms(language, &mail).unwrap())
            .into();
        for about in Notice::ALL {
            let notice = notice(about, "Ada Lovelace");
            texts.push(renderer.render_sms(language, &notice).unwrap());
        }
        insta::assert_snapshot!(format!("{language}_sms"), texts.join("\n\n========\n"));
    }
}

/// The characters of GSM-7 without its extension table (3GPP TS 23.038 §6.2.1).
const GSM_7: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
    ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

#[test]
fn a_text_message_is_short_and_costs_no_wide_characters() {
    for text in all_texts() {
        let wide = text.chars().find(|&c| !GSM_7.contains(c));
        assert_eq!(wide, None, "{text}");
        // Two parts of a long one have room for so many (3GPP TS 23.040 §9.2.3.24.1).
        assert!(text.chars().count() <= 2 * 153, "{text}");
    }
}

#[test]
fn a_text_message_says_who_sends_it_and_ends_with_its_only_link_or_code() {
    for text in all_texts() {
        assert!(text.starts_with("Acme: "), "{text}");
        let (_, last) = text.rsplit_once('\n').unwrap();
        if text.contains("012345") {
            // As browsers read it (WICG, origin-bound one-time codes delivered via SMS).
            assert_eq!(last, "@accounts.example.com #012345");
            assert!(!text.contains("://"), "{text}");
            continue;
        }
        assert!(last.starts_with("https://accounts.example.com/"), "{text}");
        assert_eq!(text.matches("://").count(), 1, "{text}");
    }
    for language in LANGUAGES {
        let link = by_sms();
        let renderer = Renderer::new(&brand(), TemplateDirs::default()).unwrap();
        let text = renderer.render_sms(language, &link).unwrap();
        assert!(
            text.contains(" 10 Minute") || text.contains(" 10 minutes"),
            "{text}"
        );
        assert!(
            text.lines()
                .any(|line| Some(line) == link.essential().map(|(_, url)| url))
        );
    }
}

#[test]
fn the_mail_is_in_the_language_nearest_to_the_accounts() {
    let language = |locale| {
        let html = rendered(locale, &changed("")).html;
        values_of(&html, "lang").concat()
    };
    for (locale, expected) in [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_ch", "de"),
        ("en-GB", "en"),
        ("", "en"),
        ("fr", "en"),
        ("tlh-Latn-x-bird", "en"),
    ] {
        assert_eq!(language(locale), expected, "{locale:?}");
        let renderer = Renderer::new(&brand(), TemplateDirs::default()).unwrap();
        let text = renderer.render_sms(locale, &by_sms()).unwrap();
        assert_eq!(text.contains("Passwort"), expected == "de", "{text}");
    }
}

#[test]
fn the_button_says_what_it_does() {
    let button = |language| {
        let html = rendered(language, &asked_at_sign_in("")).html;
        let (_, button) = html.split_once("class=\"button\"").unwrap();
        let (_, label) = button.split_once('>').unwrap();
        label.split("</a>").next().unwrap().to_owned()
    };
    assert_eq!(button("en"), "Reset My Password");
    assert_eq!(button("de"), "Mein Passwort zurücksetzen");
}

#[test]
fn the_links_come_through_to_the_byte() {
    for language in LANGUAGES {
        let link = sample::reset_link("", Asked::AtSignIn);
        let RenderedMail { text, html, .. } = rendered(language, &asked_at_sign_in(""));
        for url in [link.reset_url, link.cancel_url] {
            assert!(text.lines().any(|line| line == url), "{text}");
            assert!(values_of(&html, "href").contains(&url), "{html}");
        }
    }
}

#[test]
fn a_link_that_html_would_misread_is_escaped() {
    let mut link = sample::reset_link("", Asked::AtSignIn);
    link.reset_url = "https://accounts.example.com/reset?a=1&b=\"2\"#rlt1_x";
    let html = rendered("en", &Mail::ResetLink(link)).html;
    let escaped = "https://accounts.example.com/reset?a=1&#38;b=&#34;2&#34;#rlt1_x";
    assert_eq!(values_of(&html, "href")[..2], [escaped, escaped]);
}

#[test]
fn nothing_is_fetched_and_no_link_leaves_the_reset_origin() {
    for RenderedMail { text, html, .. } in all_rendered() {
        for part in [&text, &html] {
            let elsewhere = part.replace("https://accounts.example.com/", "");
            assert!(!elsewhere.contains("://"), "{part}");
        }
        assert!(values_of(&html, "src").is_empty());
        for fetching in [
            "<img",
            "<link",
            "<script",
            "url(",
            "@import",
            "srcset",
            "background=",
        ] {
            assert!(!html.contains(fetching), "{fetching} in {html}");
        }
    }
}

#[test]
fn no_notice_carries_a_token() {
    for language in LANGUAGES {
        for about in Notice::ALL {
            let RenderedMail {
                subject,
                text,
                html,
            } = rendered(language, &notice(about, "Ada"));
            for part in [subject, text, html] {
                assert!(!part.contains("rlt1_") && !part.contains("rlc1_"));
            }
        }
    }
}

#[test]
fn text_lines_fit_unless_they_are_a_link() {
    for mail in all_rendered() {
        for line in mail.text.lines() {
            let fits = line.chars().count() <= 78 || line.starts_with("https://");
            assert!(fits && line.len() <= 998, "{line}");
        }
        assert!(mail.html.lines().all(|line| line.len() <= 998));
    }
}

#[test]
fn a_name_cannot_add_a_header() {
    for name in ["A\r\nBcc: x@y", "A\r\nBcc: x", "A\rBcc: x"] {
        let mail = rendered("en", &asked_at_sign_in(name));
        assert!(!mail.subject.contains(char::is_control));
        assert!(!mail.text.contains("\nBcc:"), "{}", mail.text);
    }
    let brand = Brand {
        product_name: "Acme\r\nBcc: x@y".to_owned(),
        support_contact: None,
    };
    let renderer = Renderer::new(&brand, TemplateDirs::default()).unwrap();
    let mail = renderer.render("en", &asked_at_sign_in("")).unwrap();
    assert_eq!(mail.subject, "Reset your Acme Bcc: x@y password");
}

#[test]
fn a_name_is_text_and_never_markup() {
    let mail = rendered("en", &changed("<img onerror>"));
    assert!(mail.html.contains("Hello &#60;img onerror&#62;,"));
    assert!(mail.text.contains("Hello <img onerror>,"));
}

#[test]
fn debug_output_shows_no_link() {
    let mail = rendered("en", &asked_at_sign_in("Ada"));
    assert!(!format!("{mail:?}").contains("rlt1_"));
}

proptest! {
    #[test]
    fn both_engines_render_the_compiled_in_templates_alike(
        display_name in any_text(),
        product_name in any_text(),
        support_contact in proptest::option::of(any_text()),
    ) {
        let brand = BrandContent::new(&Brand { product_name, support_contact });
        let overrides = Overrides::built_in().unwrap();
        for language in LANGUAGES {
            let mails = [
                asked_at_sign_in(&display_name),
                asked_from_profile(&display_name),
                changed(&display_name),
            ];
            for mail in mails.into_iter().chain(sample::mails()) {
                let by_askama = built_in::render(&brand, language, &mail).unwrap();
                let by_minijinja = overrides.render(&brand, language, &mail).unwrap();
                prop_assert_eq!(&by_askama.subject, &by_minijinja.subject);
                prop_assert_eq!(&by_askama.text, &by_minijinja.text);
                prop_assert_eq!(&by_askama.html, &by_minijinja.html);
                prop_assert_eq!(
                    built_in::render_sms(&brand, language, &mail).unwrap(),
                    overrides.render_sms(&brand, language, &mail).unwrap()
                );
            }
        }
    }

    #[test]
    fn whatever_the_names_the_subject_is_one_line(
        display_name in any_text(),
        product_name in any_text(),
    ) {
        let brand = Brand { product_name, support_contact: None };
        let renderer = Renderer::new(&brand, TemplateDirs::default()).unwrap();
        for language in LANGUAGES {
            let mail = renderer.render(language, &asked_at_sign_in(&display_name)).unwrap();
            prop_assert!(!mail.subject.contains(char::is_control));
        }
    }
}
