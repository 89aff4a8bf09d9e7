//! How a blob comes into a layout: look, lock, look again, go on with what is there, verify, rename.
//!
//! Wrong content is fetched once more from its beginning: what was wrong may have been what lay
//! here, or what a source had from somewhere near.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use super::partial::Partial;
use super::{Hold, Layout};
use crate::oci::Descriptor;
use crate::store::blocking::{Wanted, guard, on_thread};
use crate::store::{BlobSource, StoreError, error_of_read};
use crate::{Error, ErrorKind, Result};

/// How often a blob that someone else is writing is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A blob that is being stored.
struct Intake {
    partial: Partial,
    _hold: Hold,
}

/// Why a blob was not stored, and what to try again with.
struct Refused {
    error: Error,
    again: Option<Intake>,
}

impl Layout {
    /// Stores exactly the expected blob, or nothing. A blob that is there already is left as it is.
    /// Of a manifest with a subject an entry without name is made, so that it is found again.
    pub fn put_blob(&self, expected: &Descriptor, content: &mut (dyn Read + Send)) -> Result<()> {
        let (_guard, wanted) = guard();
        let Some(mut intake) = self.begin(expected, None, &wanted)? else {
            return Ok(());
        };
        // A reader cannot be asked for a part.
        intake.partial.restart()?;
        self.receive(intake, content)
            .map_err(|refused| refused.error)
    }

    /// Stores a blob of which a part may be there already, and tries again from the beginning once
    /// where the content was wrong.
    pub(super) async fn take_in(
        &self,
        expected: &Descriptor,
        content: &dyn BlobSource,
    ) -> Result<()> {
        let (_guard, wanted) = guard();
        let begun = {
            let (layout, expected, wanted) = (self.clone(), expected.clone(), wanted.clone());
            let file = content.local_file();
            on_thread(move || layout.begin(&expected, file.as_ref(), &wanted))
        };
        let Some(mut intake) = begun.await? else {
            return Ok(());
        };
        let mut is_second = false;
        loop {
            let opened = content.open_at(intake.partial.length());
            let opened = opened.map_err(|error| error_of_read(error, &expected.digest));
            let content = wanted.reader(self.noting_faults(opened)?);
            let layout = self.clone();
            match on_thread(move || layout.receive(intake, content)).await {
                Ok(()) => return Ok(()),
                Err(refused) => match refused.again {
                    Some(again) if !is_second => {
                        tracing::info!("{}: once more from the beginning", refused.error);
                        intake = again;
                        is_second = true;
                    }
                    _ => return Err(refused.error),
                },
            }
        }
    }

    /// Takes up what is there of a blob; `None` if that is all of it. Waits while someone else is
    /// storing the same blob. A hard link to the file is never made: its content could change.
    fn begin(
        &self,
        expected: &Descriptor,
        file: Option<&File>,
        wanted: &Wanted,
    ) -> Result<Option<Intake>> {
        let hold = self.hold()?;
        let is_there = || self.blob_size(&expected.digest) == Some(expected.size);
        if !is_there() {
            let mut partial = self.noting_faults(self.lock_partial(expected, wanted))?;
            if is_there() {
                partial.restart()?;
            } else if let Some(file) = file
                && self.noting_faults(partial.clone_from(file))?
            {
                self.noting_faults(partial.finish(&self.blob_path(&expected.digest)))?;
            } else {
                self.noting_faults(partial.take_up(wanted))?;
                let _hold = hold;
                return Ok(Some(Intake { partial, _hold }));
            }
        }
        self.list_referrer(expected)?;
        Ok(None)
    }

    fn lock_partial(&self, expected: &Descriptor, wanted: &Wanted) -> Result<Partial> {
        loop {
            if let Some(partial) = Partial::lock(self, expected)? {
                return Ok(partial);
            }
            let cancelled = |error| error_of_read(error, &expected.digest);
            wanted.check().map_err(cancelled)?;
            thread::sleep(LOOK);
        }
    }

    /// Takes in the rest of a blob and gives it its name.
    fn receive(&self, mut intake: Intake, content: impl Read + Send) -> Result<(), Box<Refused>> {
        let refused = |error, again| Box::new(Refused { error, again });
        if let Err(error) = self.noting_faults(intake.partial.receive(content)) {
            if !is_mismatch(&error) {
                return Err(refused(error, None));
            }
            return Err(match self.noting_faults(intake.partial.restart()) {
                Ok(()) => refused(error, Some(intake)),
                Err(error) => refused(error, None),
            });
        }
        let Intake { partial, _hold } = intake;
        let expected = partial.blob().clone();
        self.noting_faults(partial.finish(&self.blob_path(&expected.digest)))
            .and_then(|()| self.list_referrer(&expected))
            .map_err(|error| refused(error, None))
    }

    /// Remembers where the machine failed, so that what was on its way is not kept.
    fn noting_faults<T>(&self, result: Result<T, impl Into<Error>>) -> Result<T> {
        result.map_err(Into::into).inspect_err(|error| {
            if is_fault(error) {
                self.faults.fetch_add(1, Ordering::SeqCst);
            }
        })
    }
}

/// Whether the content was not what was expected. A reader of another store may only tell by kind.
fn is_mismatch(error: &Error) -> bool {
    let told = matches!(error, Error::Store(StoreError::Read { cause, .. })
        if cause.kind() == io::ErrorKind::InvalidData);
    told || error.kind() == ErrorKind::Mismatch
}

/// Whether this machine failed, and not the source.
fn is_fault(error: &Error) -> bool {
    match error {
        Error::Store(StoreError::Io { .. } | StoreError::Space { .. }) => true,
        Error::Store(StoreError::Read { cause, .. }) => matches!(
            Errno::from_io_error(cause),
            Some(Errno::NOSPC | Errno::DQUOT | Errno::IO | Errno::MFILE | Errno::NFILE)
        ),
        _ => false,
    }
}
