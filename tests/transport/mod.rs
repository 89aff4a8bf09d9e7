//! A registry as a store, with a scripted server and with peers. The rows Q30 to Q47 of the security
//! catalogue are here, as far as they are not in `tests/hostile`.

mod downloads_faults;
mod downloads_parts;
mod downloads_ranges;
mod login;
mod manifest_refusals;
mod manifests;
mod peers;
mod tls;
mod tokens;
mod uploads_access;
mod uploads_limits;
mod uploads_resume;
mod uploads_sessions;
mod warnings;
