use super::*;
use crate::domain::caller::{CallerCredential, CertSan, Scope};
use crate::domain::egress::Egress;
use crate::domain::reset::{InvitationLifetime, LinkLifetime, SmsLinkLifetime};
use crate::domain::sms_budget::CountryBudget;
use proptest::prelude::*;
use std::io;
use std::time::Duration;

/// One file and some variables that exist nowhere else.
struct Memory<'a> {
    text: &'a str,
    variables: &'a [(&'a str, &'a str)],
}

impl Source for Memory<'_> {
    fn file(&self, path: &Path) -> io::Result<String> {
        if path == Path::new("relatch.toml") {
            Ok(self.text.to_owned())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn variables(&self) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.variables.iter().map(own).collect()
    }
}

/// What a production file needs at the least.
const LEAST: &str = r#"
store.directory = "/var/lib/relatch"
keys.file = "/etc/relatch/keyring.toml"
links.reset_url = "https://login.example.com/reset"
links.cancel_url = "https://login.example.com/cancel"
links.forgot_password_url = "https://login.example.com/forgot"
mail.product_name = "Example"
smtp.host = "smtp.example.com"
smtp.from = "Example <no-reply@example.com>"
"#;

/// Names of files; what they hold is asked of them later.
const TLS: &str = r#"
tls.cert_file = "/etc/relatch/tls.pem"
tls.key_file = "/etc/relatch/tls.key"
"#;

fn read(
    profile: Profile<'_>,
    text: &str,
    variables: &[(&str, &str)],
    flags: Vec<Flag>,
) -> Result<Config, ConfigRefused> {
    let source = Memory { text, variables };
    Config::read(profile, Some(Path::new("relatch.toml")), flags, &source)
}

fn dev() -> Profile<'static> {
    Profile::Dev {
        data_dir: Path::new("/tmp/demo"),
    }
}

/// What `serve` makes of the least with this behind it, and a caller if there is none.
fn serve(text: &str) -> Result<Config, ConfigRefused> {
    let caller = if text.contains("[[callers]]") || text.contains("callers =") {
        String::new()
    } else {
        stanza("web", "0")
    };
    let text = format!("{LEAST}{text}{caller}");
    read(Profile::Serve, &text, &[], Vec::new())
}

/// What `relatch console` makes of such a file.
pub(super) fn apart(text: &str) -> Result<ConsoleConfig, ConfigRefused> {
    let variables = &[];
    let source = Memory { text, variables };
    ConsoleConfig::read(Path::new("relatch.toml"), &source)
}

/// The faults of a configuration that must have some, a line each.
pub(super) fn faults<T: std::fmt::Debug>(config: Result<T, ConfigRefused>) -> Vec<String> {
    match config.unwrap_err() {
        ConfigRefused::Faulty(_, faults) => faults.iter().map(ToString::to_string).collect(),
        ConfigRefused::Unreadable(..) => panic!("the file was there"),
    }
}

fn stanza(name: &str, digit: &str) -> String {
    let digest = digit.repeat(64);
    format!(
        "[[callers]]\nname = \"{name}\"\ntoken_sha256 = \"{digest}\"\nscopes = [\"reset\", \"audit\"]\n"
    )
}

#[test]
fn the_defaults_are_those_of_the_domain() {
    let config = serve("").unwrap();
    assert_eq!(config.limits, Rates::default());
    assert_eq!(config.links.lifetime, LinkLifetime::default());
    assert_eq!(config.links.sms_lifetime, SmsLinkLifetime::default());
    let invitation = InvitationLifetime::default();
    assert_eq!(config.links.invitation_lifetime, invitation);
    assert_eq!(config.password.min_length, 15);
    assert_eq!(config.password.breach_file, None);
    assert_eq!(config.password.pepper_file, None);
    assert_eq!(config.argon2.memory_kib, 19_456);
    assert_eq!(config.intake.cap, 100_000);
    assert_eq!(config.callers.len(), 1);
    assert_eq!(config.tls, None);
    assert!(!config.grpc.tls);
}

#[test]
fn a_service_says_where_its_data_keys_and_pages_are() {
    assert_eq!(
        faults(read(Profile::Serve, "", &[], Vec::new())),
        [
            "callers: nobody could call: `relatch caller new NAME --scopes …` makes a [[callers]] stanza",
            "keys.file: must be set: the keyring, as `relatch keys init` makes it",
            "links.cancel_url: must be set: the page that says this was not me",
            "links.forgot_password_url: must be set: the page that asks for a new link",
            "links.reset_url: must be set: the page that a reset link opens",
            "mail.product_name: must be set: what people know as the place they have an account with",
            "smtp.from: must be set: whom mails come from, such as \"Example <no-reply@example.com>\"",
            "smtp.host: must be set: the mail server that takes the mails",
            "store.directory: must be set: where the database is kept",
        ]
    );
}

#[test]
fn dev_needs_nothing_and_allows_a_hundredfold() {
    let config = Config::read(
        dev(),
        None,
        Vec::new(),
        &Memory {
            text: "",
            variables: &[],
        },
    )
    .unwrap();
    assert_eq!(config.limits, Rates::default().times(100));
    assert_eq!(config.links.pages, None);
    assert_eq!((config.smtp, config.bounces), (None, None));
    assert_eq!(config.store.directory, Path::new("/tmp/demo"));
    assert_eq!(config.keys.file, Path::new("/tmp/demo/keyring.toml"));
    assert!(config.console.listen.is_some());
}

#[test]
fn every_fault_is_told_at_once_with_its_line() {
    let text = r#"[links]
lifetime = "48h"
sms_lifetime = "11m"
reset_url = "http://login.example.com/reset"

[grpc]
lisen = "127.0.0.1:50051"
reflection = "yes"

[limits]
request_source = "twenty"

[pasword]
min_length = 8

[password]
min_length = 7

[[callers]]
name = "Web"
scope = ["reset"]
token_sha256 = "rlk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
scopes = ["rest"]
"#;
    let faults = faults(read(
        dev(),
        text,
        &[("RELATCH_OPS__LISTEN", "localhost")],
        Vec::new(),
    ));
    let beginnings = [
        r#"line 2: links.lifetime = "48h": must be between 1 minute and 24 hours"#,
        r#"line 3: links.sms_lifetime = "11m": must be between 1 minute and 10 minutes"#,
        "line 7: grpc.lisen: there is no such setting; did you mean grpc.listen?",
        "line 8: grpc.reflection: must be true or false",
        r#"line 11: limits.request_source = "twenty": must be a rate such as "20/1h""#,
        "line 13: pasword: there is no such section; did you mean [password]?",
        "line 17: password.min_length = 7: must be a whole number from 8 to 64",
        "line 20: callers.name: must be 1 to 64 lower-case letters",
        "line 21: callers.scope: there is no such setting; did you mean scopes?",
        "line 22: callers.token_sha256: must be 64 lower-case hexadecimal digits",
        "line 23: callers.scopes: 'rest' is not a scope",
        r#"RELATCH_OPS__LISTEN: ops.listen = "localhost": must be an IP address and a port"#,
        "links.cancel_url: must be set",
        "links.forgot_password_url: must be set",
    ];
    assert_eq!(faults.len(), beginnings.len(), "{faults:#?}");
    for (fault, beginning) in faults.iter().zip(beginnings) {
        assert!(fault.starts_with(beginning), "{fault}\n{beginning}");
    }
    assert!(
        !faults.concat().contains("rlk_"),
        "a pasted token is not told"
    );
}

#[test]
fn each_syntax_error_has_its_line_and_the_rest_is_still_read() {
    let text = "[grpc]\nlisten = \n[argon2]\niterations = = 2\n[ops]\nlisten = 4\n";
    let faults = faults(read(dev(), text, &[], Vec::new()));
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].starts_with("line 2: not TOML: "), "{faults:#?}");
    assert!(faults[1].starts_with("line 4: not TOML: "), "{faults:#?}");
    assert!(faults[2].starts_with("line 6: ops.listen: "), "{faults:#?}");
}

#[test]
fn the_later_goes_before_the_earlier() {
    let text =
        "[ops]\nlisten = \"127.0.0.1:1\"\n[grpc]\nlisten = \"127.0.0.1:1\"\n[intake]\ncap = 1\n";
    let variables = [
        ("RELATCH_GRPC__LISTEN", "127.0.0.1:2"),
        ("RELATCH_OPS__LISTEN", "127.0.0.1:2"),
        ("RELATCH_PASSWORD__SERVICE_WORDS", r#"["acme"]"#),
        ("RELATCH_GRPC__REFLECTION", "false"),
        ("RELATCH_TOKEN", "no setting"),
    ];
    let flag = Flag {
        name: "--ops-listen",
        key: "ops.listen",
        value: "127.0.0.1:3".to_owned(),
    };
    let config = read(dev(), text, &variables, vec![flag]).unwrap();
    assert_eq!(config.intake.cap, 1);
    assert_eq!(config.grpc.listen.port(), 2);
    assert_eq!(config.ops.listen.unwrap().port(), 3);
    assert_eq!(config.password.service_words, ["acme"]);
    assert!(!config.grpc.reflection);
}

#[test]
fn a_variable_that_is_no_setting_is_told() {
    let variables = [
        ("RELATCH_GRPC__LISEN", "x"),
        ("RELATCH_INTAKE__CAP", "many"),
    ];
    assert_eq!(
        faults(read(dev(), "", &variables, Vec::new())),
        [
            "RELATCH_GRPC__LISEN: grpc.lisen: there is no such setting; did you mean grpc.listen?",
            "RELATCH_INTAKE__CAP: intake.cap: must be a whole number from 1 to 10000000",
        ]
    );
}

#[test]
fn relatch_log_is_the_filter_of_the_log() {
    let config = read(dev(), "", &[("RELATCH_LOG", "relatch=debug")], Vec::new()).unwrap();
    assert_eq!(config.log.filter.to_string(), "relatch=debug");
}

#[test]
fn nothing_without_tls_is_within_reach_of_others_unless_told() {
    let open = "grpc.listen = \"0.0.0.0:50051\"\nops.listen = \"10.0.0.1:1\"\n";
    let refused = faults(serve(open));
    assert_eq!(refused.len(), 2, "{refused:#?}");
    for (fault, section) in refused.iter().zip(["grpc", "ops"]) {
        let way_out = format!("set tls.cert_file and tls.key_file, or {section}.plaintext");
        assert!(fault.contains(&way_out), "{fault}");
    }
    let plaintext = format!("{open}grpc.plaintext = true\nops.plaintext = true\n");
    let config = serve(&plaintext).unwrap();
    assert_eq!((config.grpc.tls, config.ops.tls), (false, false));
    let tls = format!("{open}{TLS}ops.plaintext = true\n");
    let config = serve(&tls).unwrap();
    assert_eq!((config.grpc.tls, config.ops.tls), (true, false));
    let all = format!("{plaintext}console.listen = \"[::]:1\"\n");
    assert_eq!(faults(read(dev(), &all, &[], Vec::new())).len(), 3);
}

#[test]
fn a_certificate_has_a_key_and_clients_show_theirs_only_to_it() {
    let files = |text: &str| serve(text).map(|config| config.tls.unwrap());
    let tls = files(&format!(
        "{TLS}tls.client_ca_file = \"/etc/relatch/callers.pem\"\n"
    ))
    .unwrap();
    assert_eq!(tls.key_file, Path::new("/etc/relatch/tls.key"));
    assert_eq!(
        tls.client_ca_file.as_deref(),
        Some(Path::new("/etc/relatch/callers.pem"))
    );
    for half in ["cert_file", "key_file", "client_ca_file"] {
        assert_eq!(
            faults(serve(&format!("tls.{half} = \"/x\"\n"))).len(),
            1,
            "{half}"
        );
    }
}

#[test]
fn a_caller_is_known_by_a_name_in_its_certificate_where_certificates_are_believed() {
    let by_name = |name: &str| {
        format!(
            "[[callers]]\nname = \"{name}\"\ncert_san = \"web.internal\"\nscopes = [\"reset\"]\n"
        )
    };
    let believed = format!("{TLS}tls.client_ca_file = \"/etc/relatch/callers.pem\"\n");
    let config = serve(&format!("{believed}{}", by_name("web"))).unwrap();
    assert_eq!(
        config.callers[0].credential,
        CallerCredential::CertSan(CertSan::of_dns("web.internal"))
    );
    assert!(faults(serve(&by_name("web")))[0].contains("needs tls.client_ca_file"));
    let same = format!("{believed}{}{}", by_name("web"), by_name("shop"));
    assert!(
        faults(serve(&same))[0].ends_with("callers.cert_san: is already that of the caller web")
    );
    let both = format!(
        "{believed}{}cert_san = \"web.internal\"\n",
        stanza("web", "a")
    );
    assert!(faults(serve(&both))[0].contains("two credentials"));
    let nothing = format!("{believed}{}", by_name("web").replace("web.internal", "*"));
    assert!(faults(serve(&nothing))[0].contains("without wildcards"));
}

#[test]
fn a_console_has_a_name_and_a_directory_and_links_lead_to_it() {
    let listening = "console.listen = \"127.0.0.1:8080\"\n";
    let refused = faults(serve(listening));
    assert!(
        refused[0].contains("console.directory: must be set"),
        "{refused:?}"
    );
    assert!(
        refused[1].contains("console.url: must be set"),
        "{refused:?}"
    );
    let named = format!(
        "{listening}console.url = \"https://login.example.com\"\nconsole.directory = \"/c\"\n"
    );
    let config = serve(&named).unwrap();
    assert_eq!(config.console.look.accent.as_str(), "#1d4fd7");
    // Whoever names pages of their own goes before it.
    assert!(config.links.pages.is_some());
    let both = format!("{named}console.relatch_url = \"https://relatch.internal\"\n");
    let refused = faults(serve(&both));
    assert!(
        refused[0].contains("is for `relatch console`"),
        "{refused:?}"
    );
}

#[test]
fn links_lead_to_a_console_elsewhere_by_its_name_alone() {
    let least = LEAST.lines().filter(|line| !line.starts_with("links."));
    let least = least.collect::<Vec<_>>().join("\n");
    let elsewhere = "console.url = \"https://login.example.com\"\n";
    let text = format!("{least}\n{elsewhere}{}", stanza("web", "0"));
    let config = read(Profile::Serve, &text, &[], Vec::new()).unwrap();
    assert!(config.links.pages.is_none() && config.console.url.is_some());
}

#[test]
fn calls_end_within_minutes() {
    assert_eq!(serve("").unwrap().shutdown.grace.as_secs(), 10);
    let too_long = "shutdown.delay = \"6m\"\nshutdown.grace = \"6m\"\n";
    assert_eq!(faults(serve(too_long)).len(), 2);
}

#[test]
fn mails_leave_by_tls_unless_the_server_is_this_machine() {
    let smtp = |text: &str| serve(text).map(|config| config.smtp.unwrap());
    let usual = smtp("").unwrap();
    assert_eq!((usual.port, usual.security), (465, SmtpSecurity::Tls));
    assert_eq!(usual.host, "smtp.example.com");
    assert_eq!(usual.from.name.as_str(), "Example");
    assert_eq!((usual.login, usual.connections), (None, 4));

    let starttls = "smtp.security = \"starttls\"\n";
    assert_eq!(smtp(starttls).unwrap().port, 587);
    let own_port = format!("{starttls}smtp.port = 2525\n");
    assert_eq!(smtp(&own_port).unwrap().port, 2525);

    let plain = "smtp.security = \"plain\"\n";
    assert!(faults(serve(plain))[0].contains("whoever listens on the way"));
    for host in ["127.0.0.1", "::1", "localhost"] {
        let here = LEAST.replace("smtp.example.com", host) + plain + &stanza("web", "a");
        let smtp = read(Profile::Serve, &here, &[], Vec::new()).unwrap().smtp;
        assert_eq!(smtp.unwrap().port, 25, "{host}");
    }
    for host in [
        "smtp.example.com:465",
        "smtp example",
        "https://example.com",
        "10.0.0.1",
    ] {
        let other = LEAST.replace("smtp.example.com", host) + plain + &stanza("web", "a");
        assert_eq!(
            faults(read(Profile::Serve, &other, &[], Vec::new())).len(),
            1,
            "{host}"
        );
    }
}

#[test]
fn text_messages_are_sent_to_a_gateway_that_is_named_with_countries() {
    let gateway = |text: &str| serve(text).map(|config| config.sms.gateway);
    assert_eq!(gateway("").unwrap(), None);
    let least = "sms.url = \"https://sms.example.com/messages\"\nsms.secret_file = \"sms\"\n\
                 sms.countries = [\"+1 200\", \"+49 500\"]\n";
    let usual = gateway(least).unwrap().unwrap();
    assert_eq!(usual.url, "https://sms.example.com/messages");
    assert_eq!(usual.timeout, Duration::from_secs(10));
    assert_eq!(usual.egress, Egress::default());
    assert_eq!(
        (usual.budgets.per_number, usual.budgets.per_day),
        (20, 1_000)
    );
    let prefixes = usual.budgets.countries.iter().map(CountryBudget::prefix);
    assert_eq!(prefixes.collect::<Vec<_>>(), ["+1", "+49"]);

    let private = format!("{least}sms.allowed_networks = [\"10.1.0.0/16\"]\n");
    let private = gateway(&private).unwrap().unwrap().egress;
    assert!(private.permits([10, 1, 2, 3].into()) && !private.permits([10, 2, 0, 1].into()));
    for (instead, complaint) in [
        (
            "secret_file = \"sms\"|secret_file = \"\"",
            "sms.secret_file: must be set",
        ),
        ("[\"+1 200\", \"+49 500\"]|[]", "sms.countries: must be set"),
        (
            "+49 500|49",
            "sms.countries: \"49\" must be the beginning of numbers",
        ),
        ("https:|http:", "unless it is within this machine"),
        (
            "https://sms.example.com/messages|sms.example.com",
            "must be a web address",
        ),
        (
            "sms.example.com|me:secret@sms.example.com",
            "must be a web address",
        ),
        ("https://|ftp://", "must be a web address"),
    ] {
        let (this, that) = instead.split_once('|').unwrap();
        let faults = faults(serve(&least.replacen(this, that, 1)));
        assert!(faults[0].contains(complaint), "{faults:?}");
    }
    let here = least.replacen("https://sms.example.com", "http://127.0.0.1:8090", 1);
    assert!(gateway(&here).unwrap().is_some());
}

#[test]
fn traces_are_off_unless_a_collector_is_named_and_a_part_of_the_calls_is_traced() {
    let traces = |text: &str| serve(text).map(|config| config.traces);
    assert_eq!(traces("").unwrap(), None);
    let collector = "traces.endpoint = \"https://otel.example.com\"\n";
    let usual = traces(collector).unwrap().unwrap();
    assert_eq!(usual.endpoint, "https://otel.example.com:4317");
    assert!((usual.ratio - 1.0).abs() < f64::EPSILON);
    for (written, ratio) in [("0", 0.0), ("1", 1.0), ("0.25", 0.25), ("1e-3", 0.001)] {
        let variables = [
            ("RELATCH_TRACES__ENDPOINT", "http://localhost"),
            ("RELATCH_TRACES__RATIO", written),
        ];
        let traces = read(dev(), "", &variables, Vec::new()).unwrap().traces;
        assert!((traces.unwrap().ratio - ratio).abs() < f64::EPSILON);
    }
    for ratio in ["-0.1", "1.1", "2", "nan", "\"half\""] {
        let refused = faults(serve(&format!("{collector}traces.ratio = {ratio}\n")));
        assert!(refused[0].contains("from 0.0 to 1.0"), "{refused:?}");
    }
    let plain = faults(serve("traces.endpoint = \"http://otel.example.com\"\n"));
    assert!(plain[0].contains("must begin with https://"), "{plain:?}");
}

#[test]
fn a_login_needs_a_name_and_a_file_and_bounces_a_secret() {
    let login = serve("smtp.username = \"relatch\"\nsmtp.password_file = \"/etc/relatch/smtp\"\n");
    assert_eq!(
        login.unwrap().smtp.unwrap().login,
        Some(SmtpLogin {
            username: "relatch".to_owned(),
            password_file: "/etc/relatch/smtp".into(),
        })
    );
    for half in [
        "smtp.username = \"relatch\"\n",
        "smtp.password_file = \"/etc/relatch/smtp\"\n",
        "smtp.timeout = \"5m\"\n",
        "smtp.reply_to = \"nobody\"\n",
        "bounces.listen = \"127.0.0.1:1\"\n",
    ] {
        assert_eq!(faults(serve(half)).len(), 1, "{half}");
    }
    let bounces =
        "bounces.listen = \"127.0.0.1:1\"\nbounces.secret_file = \"/etc/relatch/bounces\"\n";
    assert!(serve(bounces).unwrap().bounces.is_some());
    assert_eq!(serve("").unwrap().bounces, None);
}

#[test]
fn a_hash_is_never_cheaper_than_asvs_allows_nor_slower_than_people_wait() {
    let argon2 = |memory, iterations| {
        serve(&format!(
            "argon2.memory_kib = {memory}\nargon2.iterations = {iterations}\n"
        ))
    };
    for (memory, iterations) in [(47_104, 1), (19_456, 2), (12_288, 3), (2_097_152, 1)] {
        assert!(argon2(memory, iterations).is_ok(), "{memory} {iterations}");
    }
    for (memory, iterations) in [
        (47_103, 1),
        (19_455, 2),
        (12_287, 3),
        (19_456, 0),
        (2_097_152, 2),
        (i64::MAX, 1),
    ] {
        assert_eq!(
            faults(argon2(memory, iterations)).len(),
            1,
            "{memory} {iterations}"
        );
    }
}

#[test]
fn callers_have_names_tokens_and_scopes_of_their_own() {
    let config = serve(&format!("{}{}", stanza("web", "a"), stanza("shop", "b"))).unwrap();
    let names: Vec<_> = config
        .callers
        .iter()
        .map(|caller| caller.name.as_str())
        .collect();
    assert_eq!(names, ["web", "shop"]);
    assert!(config.callers[0].scopes.contains(&Scope::Reset));

    let same = format!(
        "{}{}{}",
        stanza("web", "a"),
        stanza("web", "b"),
        stanza("shop", "a")
    );
    assert_eq!(
        faults(serve(&same)),
        [
            "line 14: callers.name: is already that of the caller web",
            "line 18: callers.token_sha256: is already that of the caller web",
        ]
    );
    assert_eq!(faults(serve("[[callers]]\n")).len(), 3);
    assert_eq!(faults(serve(&stanza("relatch", "a"))).len(), 1);
    assert!(faults(serve("callers = 3\n"))[0].contains("each one is a [[callers]] stanza"));
    assert_eq!(
        faults(serve("[[caller]]\nname = \"web\"\n")),
        ["line 10: caller: there is no such section; did you mean [[callers]]?"]
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let source = Memory {
        text: "",
        variables: &[],
    };
    let refused = Config::read(dev(), Some(Path::new("other.toml")), Vec::new(), &source);
    assert!(refused.unwrap_err().to_string().contains("other.toml"));
}

#[test]
fn every_setting_of_the_reference_is_read_and_explained() {
    let reference = include_str!("reference.toml");
    let (mut section, mut before, mut settings) = ("", "", 0);
    for line in reference.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            settings += 1;
            assert!(before.starts_with('#'), "{section}.{key} is not explained");
            // No setting takes a date.
            let text = format!("[{section}]\n{key} = 1979-05-27\n");
            let mut faults = self::faults(read(Profile::Serve, &text, &[], Vec::new()));
            faults.extend(self::faults(apart(&text)));
            let own = format!("line 2: {section}.{key}: must be ");
            assert!(
                faults.iter().any(|fault| fault.starts_with(&own)),
                "{section}.{key} is not read: {faults:#?}"
            );
        }
        before = line;
    }
    assert!(settings > 25);
}

proptest! {
    #[test]
    fn any_file_and_variable_is_read_or_refused_without_a_panic(
        text in "(\\[{1,2}(grpc|callers|x)\\]{1,2}\n)?([a-z._]{0,12} = .{0,20}\n){0,4}",
        value in ".{0,20}",
    ) {
        let _ = read(dev(), &text, &[("RELATCH_PASSWORD__SERVICE_WORDS", &value)], Vec::new());
    }
}
