//! Who may be asked by which name.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `router` for browsers of this machine alone: asked by `localhost`, `127.0.0.1`, `[::1]` or the address that it
/// listens on, at any port, or else answering 421.
///
/// A page from elsewhere can let its own name point to this machine, and would then read what is here as if it
/// came from itself (DNS rebinding). The browser still says by which name it asks.
pub fn of_this_machine(router: Router, listens_on: IpAddr) -> Router {
    router.layer(from_fn_with_state(listens_on, by_its_name))
}

async fn by_its_name(State(listens_on): State<IpAddr>, request: Request, next: Next) -> Response {
    const REFUSED: &str =
        "This is for the machine it runs on: ask for it as localhost or 127.0.0.1.\n";
    if names_this_machine(request.headers(), listens_on) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, REFUSED).into_response()
    }
}

fn names_this_machine(headers: &HeaderMap, listens_on: IpAddr) -> bool {
    let mut named = headers.get_all(HOST).iter();
    let (Some(name), None) = (named.next(), named.next()) else {
        return false;
    };
    let Ok(authority) = Authority::try_from(name.as_bytes()) else {
        return false;
    };
    let host = authority.host();
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match address.unwrap_or(host).parse::<IpAddr>() {
        Ok(address) => [
            Ipv4Addr::LOCALHOST.into(),
            Ipv6Addr::LOCALHOST.into(),
            listens_on,
        ]
        .contains(&address),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    async fn status(hosts: &[&str]) -> StatusCode {
        let router = Router::new().route("/", get(async || "here"));
        let router = of_this_machine(router, Ipv4Addr::new(127, 0, 0, 7).into());
        let mut request = Request::builder().uri("/");
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let request = request.body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn it_is_asked_by_the_names_of_this_machine() {
        for host in [
            "localhost",
            "LocalHost:8025",
            "127.0.0.1:8025",
            "127.0.0.1",
            "[::1]:8025",
            "127.0.0.7:1",
        ] {
            assert_eq!(status(&[host]).await, StatusCode::OK, "{host}");
        }
    }

    #[tokio::test]
    async fn it_is_not_asked_by_any_other_name() {
        for host in [
            "",
            "evil.example",
            "evil.example:8025",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "localhost.",
            "127.0.0.8",
            "192.0.2.1:8025",
            "0.0.0.0:8025",
            "[::2]:8025",
            "2130706433",
            "127.1",
        ] {
            assert_eq!(status(&[host]).await, 421, "{host}");
        }
        assert_eq!(status(&[]).await, 421);
        assert_eq!(status(&["localhost", "evil.example"]).await, 421);
    }
}
