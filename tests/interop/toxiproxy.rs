//! toxiproxy in front of a registry: a link that is slow, or breaks.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};

use super::programs::{Process, free_address};
use crate::support::http::{Reply, Request};

/// A toxiproxy with one proxy, which is stopped when dropped.
pub(crate) struct Toxiproxy {
    /// Where the proxy listens.
    pub(crate) address: String,
    control: SocketAddr,
    _process: Process,
}

impl Toxiproxy {
    /// Starts it in front of a registry, with nothing wrong yet.
    pub(crate) fn before(registry: &str) -> Self {
        let (address, control) = (free_address(), free_address());
        let (host, port) = control.rsplit_once(':').unwrap();
        let mut command = Command::new("toxiproxy-server");
        command.args(["-host", host, "-port", port]);
        let toxiproxy = Self {
            address: address.clone(),
            control: control.parse().unwrap(),
            _process: Process::start("toxiproxy", command, &control),
        };
        let proxy = json!({ "name": "link", "listen": address, "upstream": registry });
        toxiproxy
            .ask("POST", "/proxies", &proxy.to_string())
            .is(201);
        toxiproxy
    }

    /// Does something bad to the data in a direction, `upstream` or `downstream`.
    pub(crate) fn add(&self, kind: &str, stream: &str, attributes: &Value) {
        let name = format!("{kind} {stream}");
        let toxic = json!({
            "name": name, "type": kind, "stream": stream, "attributes": attributes
        });
        self.ask("POST", "/proxies/link/toxics", &toxic.to_string())
            .is(200);
    }

    /// Makes everything good again.
    pub(crate) fn heal(&self) {
        self.ask("POST", "/reset", "").is(204);
    }

    fn ask(&self, method: &str, target: &str, body: &str) -> Reply {
        let request = Request::new(method, target).body(body);
        request.send(self.control)
    }
}
