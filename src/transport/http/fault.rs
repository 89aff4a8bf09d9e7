//! What broke a connection, in the words of the system and without the URL, which reqwest would
//! put into its message together with its secrets.

use std::error::Error;
use std::io;

use crate::transport::error::ConnectionFault;
use crate::transport::failure::cleaned;

/// What hyper says of bytes that do not begin with `HTTP/1.`, such as a TLS alert.
const NO_HTTP: &str = "invalid HTTP version parsed";

/// Tells connection, TLS and everything after apart.
pub(crate) fn of(error: &reqwest::Error) -> ConnectionFault {
    if let Some(tls) = tls_error(error) {
        return ConnectionFault::Tls(match tls {
            rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
                "the server does not speak TLS, perhaps plain HTTP".to_owned()
            }
            other => cleaned(&other.to_string()),
        });
    }
    let text = cleaned(&root_cause(error));
    let is_plain = error.url().is_some_and(|url| url.scheme() == "http");
    if error.is_connect() {
        ConnectionFault::Connect(text)
    } else if is_plain && text == NO_HTTP {
        ConnectionFault::NotHttp
    } else {
        ConnectionFault::Broken(text)
    }
}

/// The innermost cause. The outermost error is not asked: it shows the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        return "the request could not be sent".to_owned();
    };
    while let Some(next) = inner(cause) {
        cause = next;
    }
    cause.to_string()
}

fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(found) = cause {
        if let Some(tls) = found.downcast_ref() {
            return Some(tls);
        }
        cause = inner(found);
    }
    None
}

/// The next cause. An [`io::Error`] skips the error that it wraps.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
