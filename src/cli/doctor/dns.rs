//! What DNS says of the domain that mails come from.

use super::report::Report;
use crate::cli::Failure;
use crate::config::Config;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::net::SocketAddr;
use std::time::Duration;

const WHAT: &str = "DNS";

/// How long a question may take, and how often it is asked.
const PATIENCE: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;

/// How far above the domain a policy is looked for.
const PARENTS: usize = 4;

/// Checks that receivers can tell the sender's mails from forged ones, and can send mails back.
pub(super) async fn check(
    report: &mut Report<'_, '_>,
    config: &Config,
    server: Option<SocketAddr>,
) -> Result<(), Failure> {
    let Some(smtp) = &config.smtp else {
        return Ok(());
    };
    let domain = smtp.from.email.domain();
    let dns = match Dns::new(server) {
        Ok(dns) => dns,
        Err(why) => return report.note(WHAT, format_args!("cannot be asked from here ({why})")),
    };
    let told = async {
        let mail = mail(domain, dns.ask(domain, RecordType::MX).await?, &dns).await?;
        let spf = spf(domain, &dns.texts(domain).await?);
        let dmarc = dmarc(domain, &dns).await?;
        Ok::<_, NotReachable>([mail, spf, dmarc])
    };
    match told.await {
        Ok(told) => told.into_iter().try_for_each(|told| match told {
            Told::Ok(found) => report.ok(WHAT, found),
            Told::Warning(found) => report.warning(WHAT, found),
            Told::Problem(found) => report.problem(WHAT, found),
        }),
        Err(NotReachable(why)) => report.note(
            WHAT,
            format_args!(
                "{domain} cannot be looked up from here ({why}); try again where DNS can be asked"
            ),
        ),
    }
}

/// What is to be told of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    Ok(String),
    Warning(String),
    Problem(String),
}

/// DNS did not answer, which says nothing of the domain.
struct NotReachable(String);

/// Whom we ask.
struct Dns(TokioResolver);

impl Dns {
    fn new(server: Option<SocketAddr>) -> Result<Self, NetError> {
        let mut builder = match server {
            None => TokioResolver::builder_tokio()?,
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = ATTEMPTS;
        options.use_hosts_file = ResolveHosts::Never;
        Ok(Self(builder.build()?))
    }

    /// The records of this type that a name has; none if there is no such name.
    async fn ask(&self, name: &str, kind: RecordType) -> Result<Vec<RData>, NotReachable> {
        // The dot keeps the machine's own search domains out.
        match self.0.lookup(format!("{name}."), kind).await {
            Ok(found) => Ok(found
                .answers()
                .iter()
                .filter(|record| record.record_type() == kind)
                .map(|record| record.data.clone())
                .collect()),
            Err(why) if why.is_no_records_found() => Ok(Vec::new()),
            Err(why) => Err(NotReachable(why.to_string())),
        }
    }

    /// The texts that a name has, each in one piece.
    async fn texts(&self, name: &str) -> Result<Vec<String>, NotReachable> {
        let records = self.ask(name, RecordType::TXT).await?;
        let texts = records.into_iter().filter_map(|record| match record {
            RData::TXT(text) => Some(text.txt_data.concat()),
            _ => None,
        });
        Ok(texts
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .collect())
    }
}

/// Whether mails can be sent to the domain: bounces are, and many receivers refuse senders that take none.
async fn mail(domain: &str, exchangers: Vec<RData>, dns: &Dns) -> Result<Told, NotReachable> {
    let nowhere = |record: &RData| matches!(record, RData::MX(mx) if mx.exchange.is_root());
    if exchangers.iter().any(nowhere) {
        return Ok(Told::Warning(format!(
            "{domain} says that it takes no mail (a null MX), so no bounce can reach you: give it an MX record"
        )));
    }
    if !exchangers.is_empty() {
        return Ok(Told::Ok(format!("{domain} has an MX record")));
    }
    for kind in [RecordType::A, RecordType::AAAA] {
        if !dns.ask(domain, kind).await?.is_empty() {
            return Ok(Told::Ok(format!(
                "{domain} has no MX record, and an address that mails are sent to instead"
            )));
        }
    }
    Ok(Told::Problem(format!(
        "{domain} has neither an MX record nor an address, and many receivers refuse mails from such: give it an MX record, or set smtp.from to a domain that has one"
    )))
}

/// RFC 7208: exactly one record, which does not let everybody send.
fn spf(domain: &str, texts: &[String]) -> Told {
    let is_spf = |text: &&String| {
        let version = text.split(' ').next().unwrap_or_default();
        version.eq_ignore_ascii_case("v=spf1")
    };
    let records: Vec<_> = texts.iter().filter(is_spf).collect();
    let lets_everybody =
        |record: &str| record.split(' ').any(|term| matches!(term, "all" | "+all"));
    match records.as_slice() {
        [] => Told::Warning(format!(
            "{domain} has no SPF record, and receivers take its mails for forged more easily: publish a TXT record \"v=spf1 … -all\" as your mail provider gives it"
        )),
        [record] if lets_everybody(record) => Told::Warning(format!(
            "the SPF record of {domain} lets everybody send in its name: end it with -all"
        )),
        [_] => Told::Ok(format!("{domain} has an SPF record")),
        records => Told::Problem(format!(
            "{domain} has {} SPF records, and receivers then heed none (RFC 7208 §4.5): join them into one",
            records.len()
        )),
    }
}

/// RFC 7489: one record, of the domain or of one above it.
async fn dmarc(domain: &str, dns: &Dns) -> Result<Told, NotReachable> {
    for parent in parents(domain) {
        let texts = dns.texts(&format!("_dmarc.{parent}")).await?;
        let policies = texts.iter().filter(|text| text.starts_with("v=DMARC1"));
        match policies.count() {
            0 => {}
            1 => return Ok(Told::Ok(format!("{parent} has a DMARC record"))),
            many => {
                return Ok(Told::Problem(format!(
                    "_dmarc.{parent} has {many} DMARC records, and receivers then heed none (RFC 7489 §6.6.3): leave one"
                )));
            }
        }
    }
    Ok(Told::Warning(format!(
        "{domain} has no DMARC record, and large providers ask for one: publish a TXT record at _dmarc.{domain}, to begin with \"v=DMARC1; p=none\""
    )))
}

/// The domain and what is above it, without the last label.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |name| {
        let (_, above) = name.split_once('.')?;
        above.contains('.').then_some(above)
    })
    .take(PARENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spf_record_is_right_unless_it_lets_everybody_send() {
        let told = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|&text| text.to_owned()).collect();
            spf("acme.example", &texts)
        };
        for texts in [
            &["v=spf1 include:_spf.example.net -all"][..],
            &["google-site-verification=x", "V=SPF1 mx ~all"],
            &["v=spf1", "v=spf10 mx"],
        ] {
            assert!(matches!(told(texts), Told::Ok(_)), "{texts:?}");
        }
        for texts in [
            &[][..],
            &["v=spf2.0/pra"],
            &["v=spf1 mx +all"],
            &["v=spf1 all"],
        ] {
            assert!(matches!(told(texts), Told::Warning(_)), "{texts:?}");
        }
        let two = told(&["v=spf1 -all", "v=spf1 mx -all"]);
        assert!(matches!(two, Told::Problem(_)), "{two:?}");
    }

    #[test]
    fn a_policy_may_stand_above_the_domain_and_not_at_the_top() {
        let of = |domain| parents(domain).collect::<Vec<_>>();
        assert_eq!(
            of("mail.acme.example"),
            ["mail.acme.example", "acme.example"]
        );
        assert_eq!(of("localhost"), ["localhost"]);
        assert_eq!(of("a.b.c.d.e.f.example").len(), PARENTS);
    }
}
