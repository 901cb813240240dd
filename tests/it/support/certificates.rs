//! Certificates for tests, from authorities of their own.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};

use relatch::domain::time::Timestamp;

/// Signs certificates that are good from 2020 to 2100.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
pub(crate) struct Pair {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params(&[]);
        // Whose subject is its issuer's would count as signed by itself.
        params
            .distinguished_name
            .push(DnType::CommonName, "the authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// The authority's own certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for these names: URIs, IP addresses or DNS names.
    pub(crate) fn issue(&self, names: &[&str]) -> Pair {
        self.sign(&params(names))
    }

    /// A certificate for this machine that ended with 2020.
    pub(crate) fn issue_ended(&self) -> Pair {
        let mut params = params(&["localhost"]);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign(&params)
    }

    /// A certificate for this machine that begins with 2100.
    pub(crate) fn issue_early(&self) -> Pair {
        let mut params = params(&["localhost"]);
        params.not_before = date_time_ymd(2100, 1, 1);
        self.sign(&params)
    }

    /// A certificate for this machine that ends with the day of this moment.
    pub(crate) fn issue_until(&self, ends: Timestamp) -> Pair {
        let day = ends.to_string();
        let mut day = day.split(['-', 'T']).map(|part| part.parse().unwrap());
        let (year, month, day) = (
            day.next().unwrap(),
            day.next().unwrap(),
            day.next().unwrap(),
        );
        let mut params = params(&["localhost"]);
        let month = u8::try_from(month).unwrap();
        params.not_after = date_time_ymd(year, month, u8::try_from(day).unwrap());
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair {
            cert: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let (uris, others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| name.contains("://"));
    let others: Vec<_> = others.into_iter().map(str::to_owned).collect();
    let mut params = CertificateParams::new(others).unwrap();
    for uri in uris {
        let uri = uri.to_owned().try_into().unwrap();
        params.subject_alt_names.push(SanType::URI(uri));
    }
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2101, 1, 1);
    params
}
