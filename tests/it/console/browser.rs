//! A browser as far as forms, cookies and redirects go; it runs no script.

use super::ORIGIN;
use crate::support::certificates::Authority;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use relatch::web::RemoteAddress;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tower::ServiceExt as _;

/// Where a browser's requests go.
#[derive(Clone)]
pub(crate) enum Way {
    /// To a console in this process.
    Inside(Router),
    /// To one that listens at this origin.
    Outside(Box<Client<HttpsConnector<HttpConnector>, Body>>, String),
}

impl Way {
    /// To the console that listens here, with TLS if there is an authority to trust.
    pub(crate) fn to(address: SocketAddr, authority: Option<&Authority>) -> Self {
        let mut roots = RootCertStore::empty();
        if let Some(pem) = authority.map(Authority::pem) {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            roots.add(certificate).unwrap();
        }
        let provider = Arc::new(ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .build();
        let client = Box::new(Client::builder(TokioExecutor::new()).build(connector));
        let scheme = if authority.is_some() { "https" } else { "http" };
        Self::Outside(client, format!("{scheme}://{address}"))
    }
}

/// A browser with its cookies, and the page it shows.
pub(crate) struct Browser {
    way: Way,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) page: Page,
    /// What it says of itself with every request.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Page {
    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        self.headers
            .get(LOCATION)
            .map_or("", |location| location.to_str().unwrap())
    }

    /// Whether it shows this, as it is written in HTML.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// What the form of this action says before anybody types.
    pub(crate) fn fields(&self, action: &str) -> Vec<(String, String)> {
        let opening = format!("action=\"{action}\"");
        let (_, form) = self
            .body
            .split_once(&opening)
            .unwrap_or_else(|| panic!("no form {action}: {}", self.body));
        let form = form.split("</form>").next().unwrap();
        let inputs = form.split("<input ").skip(1);
        inputs
            .filter_map(|input| {
                let input = input.split('>').next().unwrap();
                let name = attribute(input, "name")?;
                Some((name, attribute(input, "value").unwrap_or_default()))
            })
            .collect()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next().unwrap();
    Some(
        value
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#38;", "&"),
    )
}

/// Pairs as a form sends them.
pub(crate) fn encoded<A: AsRef<str>, B: AsRef<str>>(pairs: &[(A, B)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(a, b)| (a.as_ref(), b.as_ref()))
        .collect();
    serde_urlencoded::to_string(pairs).unwrap()
}

impl Browser {
    pub(crate) fn new(way: Way) -> Self {
        Self {
            way,
            cookies: BTreeMap::new(),
            page: Page::default(),
            headers: Vec::new(),
        }
    }

    /// Opens an address, as a link in a mail does.
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[("sec-fetch-site", "none")], "")
            .await
    }

    /// Fills in the form of this action on the page that is shown, and sends it off.
    pub(crate) async fn submit(&mut self, action: &str, typed: &[(&str, &str)]) -> Page {
        let mut fields = self.page.fields(action);
        for (name, value) in typed {
            match fields.iter_mut().find(|(field, _)| field == name) {
                Some((_, before)) => (*value).clone_into(before),
                None => fields.push(((*name).to_owned(), (*value).to_owned())),
            }
        }
        self.post(action, &encoded(&fields)).await
    }

    /// Sends a form of one's own making, from a page of the console.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Page {
        self.send(
            Method::POST,
            path,
            &[("sec-fetch-site", "same-origin")],
            body,
        )
        .await
    }

    /// Sends anything.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let origin = match &self.way {
            Way::Inside(_) => "",
            Way::Outside(_, origin) => origin,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{origin}{path}"))
            .extension(RemoteAddress([192, 0, 2, 1].into()))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter();
            let cookies: Vec<_> = cookies
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = match &self.way {
            Way::Inside(router) => router.clone().oneshot(request).await.unwrap(),
            Way::Outside(client, _) => client.request(request).await.unwrap().map(Body::new),
        };
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        self.page = Page {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        self.page.clone()
    }

    /// The origin of the console, for who claims to come from it.
    pub(crate) fn origin() -> &'static str {
        ORIGIN
    }
}
