//! What the user named → an open place.

use modelctl::ErrorKind;
use modelctl::oci::{Place, Reference};
use modelctl::store::{Archive, Layout, Made};

use super::Spot;
use crate::blocking::blocking;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::RegistryOptions;

/// A place to put something into.
pub(crate) struct Created {
    pub(crate) spot: Spot,
    made: Option<Made>,
}

impl Created {
    /// Where nothing came of it, takes back what was made for it; but keeps what the same command
    /// goes on with later.
    pub(crate) async fn settle<T>(self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        if let (Err(failure), Some(made)) = (&outcome, self.made) {
            let is_resumed = failure.kind() == ErrorKind::Unavailable;
            if let Err(error) = blocking(move || made.take_back(is_resumed)).await {
                tracing::debug!("an empty layout is left behind: {error}");
            }
        }
        outcome
    }
}

impl Context {
    /// Opens a place that holds artifacts.
    pub(crate) async fn open(
        &self,
        place: &Place,
        options: &RegistryOptions,
    ) -> Result<Spot, Failure> {
        match place.clone() {
            Place::Registry(reference) => self.repository(reference, options),
            Place::Store(reference) => self.entry(reference),
            Place::Layout { path, tag } => Ok(Spot::Layout(Layout::open(&path)?, tag)),
            Place::Archive { path, tag } => {
                let archive = blocking(move || Archive::open(&path)).await?;
                Ok(Spot::Archive(archive, tag))
            }
            Place::Path(_) => Err(Failure::WrongPlace {
                place: place.clone(),
                expected: "an artifact, as in `registry.example/mlp:v1`, `store:mlp:v1` or `oci:DIR:v1`",
            }),
        }
    }

    /// Opens a place to put something into; a layout is made if it is not there.
    pub(crate) async fn create(
        &self,
        place: &Place,
        options: &RegistryOptions,
    ) -> Result<Created, Failure> {
        let made = match place {
            Place::Layout { path, .. } => Layout::open_or_make(path)?.1,
            _ => None,
        };
        let spot = self.open(place, options).await?;
        Ok(Created { spot, made })
    }

    /// An entry of the local store.
    pub(crate) fn entry(&self, reference: Reference) -> Result<Spot, Failure> {
        Ok(Spot::Store(self.store()?, reference))
    }

    /// A tag or digest of a repository; the default registry where the reference names none.
    pub(crate) fn repository(
        &self,
        reference: Reference,
        options: &RegistryOptions,
    ) -> Result<Spot, Failure> {
        let reference = self.with_registry(reference, options)?;
        let client = self.client(options, reference.registry())?;
        Ok(Spot::Repository(client.repository(&reference)?, reference))
    }
}
