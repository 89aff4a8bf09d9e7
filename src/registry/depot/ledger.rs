//! How many bytes there are, and how many there may be: in all, and in each repository.
//!
//! What is announced is charged before it is received, so that uploads at the same time cannot
//! together exceed what one of them could not. A [`Charge`] that is not settled is given back. A
//! content counts once in all, and once in each repository that has it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Repository;
use crate::registry::observe::Metrics;
use crate::registry::{RegistryError, RegistryOptions};

/// The books of a depot.
#[derive(Debug)]
pub(super) struct Ledger {
    total_limit: u64,
    /// Repositories are only counted where there is one.
    repository_limit: Option<u64>,
    metrics: Arc<Metrics>,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    all: Account,
    repositories: HashMap<Repository, Account>,
}

/// Bytes in one place.
#[derive(Debug, Clone, Copy, Default)]
struct Account {
    stored: u64,
    /// Charged, and neither stored nor given back yet.
    pending: u64,
}

/// Bytes that are about to be stored.
#[derive(Debug)]
pub(super) struct Charge {
    ledger: Arc<Ledger>,
    repository: Repository,
    all: u64,
    own: u64,
}

impl Ledger {
    /// Empty books.
    pub(super) fn new(options: &RegistryOptions) -> Arc<Self> {
        Arc::new(Self {
            total_limit: options.quota.unwrap_or(u64::MAX),
            repository_limit: options.repository_quota,
            metrics: Arc::clone(&options.metrics),
            books: Mutex::default(),
        })
    }

    /// Whether each repository is counted.
    pub(super) fn counts_repositories(&self) -> bool {
        self.repository_limit.is_some()
    }

    /// Adds what was there before.
    pub(super) fn found(&self, size: u64) {
        self.change(|books| books.all.stored += size);
    }

    /// Adds what a repository had before, or has without an upload.
    pub(super) fn found_in(&self, repository: &Repository, size: u64) {
        if self.counts_repositories() {
            self.change(|books| books.own(repository).stored += size);
        }
    }

    /// Takes off a content that is gone.
    pub(super) fn lost(&self, size: u64) {
        self.change(|books| take(&mut books.all.stored, size));
    }

    /// Takes off what a repository has no longer.
    pub(super) fn lost_in(&self, repository: &Repository, size: u64) {
        if self.counts_repositories() {
            self.change(|books| take(&mut books.own(repository).stored, size));
        }
    }

    /// Begins to charge a repository.
    pub(super) fn charge(self: &Arc<Self>, repository: &Repository) -> Charge {
        Charge {
            ledger: Arc::clone(self),
            repository: repository.clone(),
            all: 0,
            own: 0,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Books)) {
        let mut books = self.books();
        change(&mut books);
        self.metrics
            .stored
            .store(books.all.stored, Ordering::Relaxed);
    }

    /// Nothing panics while it holds this lock.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn own(&mut self, repository: &Repository) -> &mut Account {
        self.repositories.entry(repository.clone()).or_default()
    }
}

impl Account {
    /// Changes what is pending from one number of bytes to another, within a limit.
    fn replace(&mut self, old: u64, new: u64, limit: u64) -> Result<(), Account> {
        let pending = self.pending.saturating_sub(old);
        let free = limit.saturating_sub(self.stored).saturating_sub(pending);
        if new > old && new > free {
            return Err(Account { pending, ..*self });
        }
        self.pending = pending + new;
        Ok(())
    }
}

impl Charge {
    /// Charges so many bytes in all, instead of what was charged before. Fewer are always good.
    pub(super) fn set(&mut self, size: u64) -> Result<(), RegistryError> {
        self.change(size, size)
    }

    /// Charges the repository alone, as where it is given what others have.
    pub(super) fn set_own(&mut self, size: u64) -> Result<(), RegistryError> {
        self.change(0, size)
    }

    fn change(&mut self, all: u64, own: u64) -> Result<(), RegistryError> {
        let mut books = self.ledger.books();
        let limit = self.ledger.total_limit;
        let refused = |asked: u64, limit, account: Account, repository| RegistryError::Quota {
            repository,
            limit,
            used: account.stored.saturating_add(account.pending),
            asked,
        };
        let replaced = books.all.replace(self.all, all, limit);
        replaced.map_err(|account| refused(all, limit, account, None))?;
        if let Some(limit) = self.ledger.repository_limit {
            let replaced = books.own(&self.repository).replace(self.own, own, limit);
            if let Err(account) = replaced {
                // Back to what it was, which was good then.
                books.all.pending = books.all.pending.saturating_sub(all) + self.all;
                let repository = Some(self.repository.to_string());
                return Err(refused(own, limit, account, repository));
            }
        }
        (self.all, self.own) = (all, own);
        Ok(())
    }

    /// Turns the charge into what is stored, as far as it is new in all and to the repository.
    pub(super) fn settle(self, is_new: bool, is_new_here: bool) {
        let ledger = Arc::clone(&self.ledger);
        if is_new {
            ledger.found(self.all);
        }
        if is_new_here {
            ledger.found_in(&self.repository, self.own);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        let mut books = self.ledger.books();
        take(&mut books.all.pending, self.all);
        if self.ledger.counts_repositories() {
            take(&mut books.own(&self.repository).pending, self.own);
        }
    }
}

fn take(from: &mut u64, size: u64) {
    *from = from.saturating_sub(size);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(quota: u64, repository_quota: u64) -> Arc<Ledger> {
        let mut options = RegistryOptions::new("unused");
        options.quota = Some(quota);
        options.repository_quota = Some(repository_quota);
        Ledger::new(&options)
    }

    #[test]
    fn charges_hold_space_until_they_are_settled_or_dropped() {
        let ledger = ledger(100, 60);
        let [a, b] = ["a", "b"].map(|name| Repository::parse(name).unwrap());
        let mut first = ledger.charge(&a);
        first.set(60).unwrap();
        assert!(first.set(61).is_err(), "more than the repository may have");
        let mut second = ledger.charge(&b);
        assert!(second.set(41).is_err(), "more than there is in all");
        second.set(40).unwrap();
        first.settle(true, true);
        drop(second);
        // What the first repository has is not new in all, and the second has room for it.
        let mut second = ledger.charge(&b);
        second.set_own(60).unwrap();
        second.settle(false, true);
        assert!(ledger.charge(&b).set(1).is_err());
        ledger.lost_in(&b, 60);
        ledger.charge(&b).set(40).unwrap();
        ledger.lost(60);
        ledger.charge(&b).set(60).unwrap();
    }

    #[test]
    fn refusal_leaves_the_books_as_they_were() {
        let ledger = ledger(100, 10);
        let a = Repository::parse("a").unwrap();
        let mut charge = ledger.charge(&a);
        charge.set(10).unwrap();
        assert!(charge.set(u64::MAX).is_err());
        assert!(charge.set(11).is_err());
        assert_eq!(ledger.books().all.pending, 10);
        charge.set(3).unwrap();
        drop(charge);
        assert_eq!(ledger.books().all.pending, 0);
        assert_eq!(ledger.books().own(&a).pending, 0);
    }
}
