//! An upload that another process has left: the registry may still be reading what that process sent
//! before it was killed, from buffers on the way. What the registry says then is true for a moment
//! only, and content that is sent from there is refused after it has moved.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::session::Session;
use crate::transport::TransportError;
use crate::transport::repository::handle::Repository;

/// Longer than bytes in flight pause on a link that works.
const PAUSE: Duration = Duration::from_millis(300);

/// How long the registry is given to read what is on its way.
const PATIENCE: Duration = Duration::from_secs(10);

impl Repository {
    /// Asks how far a session is until it does not move any more; nothing if the registry does not
    /// know it.
    pub(super) async fn ask_left_session(
        &self,
        session: &Session,
        size: u64,
    ) -> Result<Option<Session>, TransportError> {
        let start = Instant::now();
        let mut found = self.ask_session(session, size).await?;
        while let Some(before) = found.as_ref().filter(|_| start.elapsed() < PATIENCE) {
            let offset = before.offset;
            sleep(PAUSE).await;
            found = self.ask_session(before, size).await?;
            if found.as_ref().is_some_and(|now| now.offset == offset) {
                break;
            }
        }
        Ok(found)
    }
}
