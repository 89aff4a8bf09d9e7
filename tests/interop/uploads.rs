//! Pushes that are killed or cut in the middle of a large blob, to real registries: what went over
//! the wire is counted by a proxy.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::programs::Server;
use crate::support::env::Env;
use crate::support::proxy::{Proxy, Way};

const MIB: u64 = 1024 * 1024;

/// The length of the model's only large blob.
const SIZE: u64 = 64 * MIB;

/// What went over the wire when the first push is killed.
const KILLED_AT: u64 = 32 * MIB;

/// What may be sent twice after a break: what was on its way through buffers, far below a chunk.
const BOUND: u64 = 4 * MIB;

/// Whether a registry keeps what arrived of a request that broke off.
struct Keeps(bool);

fn registries() -> [(Server, Keeps); 4] {
    [
        (Server::distribution(), Keeps(true)),
        (Server::embedded(), Keeps(true)),
        // It finds that there is more than it noted down, and gives the session up.
        (Server::debian(), Keeps(false)),
        // It does not tell how far a session is.
        (Server::crane(), Keeps(false)),
    ]
}

/// A folder with one large file without two equal places.
fn model() -> Env {
    let env = Env::new();
    let mut state = 1_u64;
    let bytes: Vec<u8> = (0..SIZE / 8)
        .flat_map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state.to_le_bytes()
        })
        .collect();
    env.write("model/weights.bin", bytes);
    env
}

fn push(env: &Env, proxy: &Proxy) -> Command {
    let mut command = env.command(&["push", "./model", &format!("{}/m:v1", proxy.address)]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
#[ignore = "needs registry, docker-registry and crane"]
fn killed_push_goes_on_where_the_registry_is() {
    let env = model();
    for (server, Keeps(keeps)) in registries() {
        let name = server.name;
        let up = Way {
            pause: Duration::from_millis(1),
            ..Way::default()
        };
        let slow = Proxy::with(&server.address, up, Way::default());
        let mut first = push(&env, &slow).spawn().unwrap();
        slow.wait_for_upload(KILLED_AT);
        first.kill().unwrap();
        first.wait().unwrap();
        let again = format!("{}/m:v1", slow.address);
        env.run(&["push", "./model", &again]).ok();
        let sent = slow.traffic().up;
        let most = if keeps {
            SIZE + BOUND
        } else {
            // All that had been sent is sent again, and how much that was the kill decides.
            2 * SIZE + BOUND
        };
        assert!(
            (SIZE..most).contains(&sent),
            "{name}: {sent} bytes of {SIZE}"
        );
        env.run(&["verify", &again]).ok();
    }
}

#[test]
#[ignore = "needs registry"]
fn push_over_a_link_that_is_cut_again_and_again_gets_through() {
    let env = model();
    for server in [Server::distribution(), Server::embedded()] {
        let name = server.name;
        let up = Way {
            cut_after: 20 * MIB,
            ..Way::default()
        };
        let proxy = Proxy::with(&server.address, up, Way::default());
        let reference = format!("{}/m:v1", proxy.address);
        env.run(&["push", "./model", &reference]).ok();
        let sent = proxy.traffic().up;
        let cuts = SIZE / (20 * MIB) + 1;
        let most = SIZE + cuts * BOUND;
        assert!(
            (SIZE..most).contains(&sent),
            "{name}: {sent} bytes of {SIZE}"
        );
        env.run(&["verify", &server.reference("m:v1")]).ok();
    }
}
