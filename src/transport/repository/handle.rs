//! The handle of a repository, and the requests that all its verbs are made of.

use reqwest::Method;

use crate::oci::Digest;
use crate::transport::auth::Scopes;
use crate::transport::http::{Request, Session};

/// A repository of a registry; cheap to clone. It is a [`Storage`](crate::store::Storage) with
/// [`Tags`](crate::store::Tags) and [`Referrers`](crate::store::Referrers).
#[derive(Clone)]
pub struct Repository {
    pub(super) session: Session,
}

/// What a request does to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Reads it.
    Pull,
    /// Changes it.
    Push,
}

impl Repository {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// The name of the repository at the registry.
    pub fn name(&self) -> &str {
        &self.session.repository
    }

    /// A request to an endpoint below the repository.
    pub(super) fn request<'a>(&self, method: Method, path: &str, access: Access) -> Request<'a> {
        let name = self.name();
        let scopes = match access {
            Access::Pull => Scopes::pull(name),
            Access::Push => Scopes::push(name),
        };
        let url = self.session.host.url(&format!("{name}/{path}"));
        Request::new(method, url, scopes)
    }

    /// A request to the endpoint of a blob.
    pub(super) fn blob_request<'a>(&self, method: Method, digest: &Digest) -> Request<'a> {
        self.request(method, &format!("blobs/{digest}"), Access::Pull)
    }
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repository({}/{})", self.session.host.name, self.name())
    }
}
