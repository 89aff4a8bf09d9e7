//! The scheduler against links that are made up, on a clock that is made up.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::*;

/// A link, in bytes per second.
struct Link {
    per_connection: f64,
    total: f64,
    flying: AtomicUsize,
    most: AtomicUsize,
}

impl Link {
    fn new(per_connection: f64, total: f64) -> Self {
        Self {
            per_connection,
            total,
            flying: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }

    /// Moves a blob in steps of 10 ms, each at the rate that the link has at that moment.
    async fn carry(&self, size: u64, moved: Moved) -> Result<u64, Infallible> {
        let flying = self.flying.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(flying, Ordering::Relaxed);
        let mut left = size as f64;
        while left > 0.0 {
            sleep(Duration::from_millis(10)).await;
            let share = self.total / self.flying.load(Ordering::Relaxed) as f64;
            let step = (share.min(self.per_connection) / 100.0).min(left);
            moved.add(step as u64);
            left -= step;
        }
        self.flying.fetch_sub(1, Ordering::Relaxed);
        Ok(size)
    }

    /// Moves blobs of 8 MB, and says how long it took in seconds.
    async fn carry_all(&self, count: usize, jobs: Jobs) -> f64 {
        let start = Instant::now();
        let items = largest_first(vec![8_000_000; count], |size| *size);
        let mut landed = 0;
        let carry = |size, moved| self.carry(size, moved);
        let flown = fly(items, (jobs, || false), carry, |_| {
            landed += 1;
            Ok(())
        });
        flown.await.unwrap_or_else(|never| match never {});
        assert_eq!(landed, count, "every item lands once");
        start.elapsed().as_secs_f64()
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }
}

#[tokio::test(start_paused = true)]
async fn fast_link_never_gets_more_connections() {
    let link = Link::new(800e6, 800e6);
    link.carry_all(500, Jobs::Auto).await;
    assert!((2..=4).contains(&link.most()), "{}", link.most());
}

#[tokio::test(start_paused = true)]
async fn slow_connections_are_multiplied_until_the_link_is_full() {
    let link = Link::new(50e6, 400e6);
    let seconds = link.carry_all(256, Jobs::Auto).await;
    assert!(link.most() >= 8, "{}", link.most());
    let ideal = 256.0 * 8e6 / 400e6;
    assert!(seconds < ideal / 0.8, "{seconds} s, ideal {ideal} s");
}

#[tokio::test(start_paused = true)]
async fn slow_link_that_more_connections_share_goes_back_to_few() {
    let link = Link::new(20e6, 20e6);
    let first = Limit::new(Jobs::Auto).now();
    link.carry_all(60, Jobs::Auto).await;
    assert!(link.most() <= 2 * first, "{}", link.most());
}

/// How many fly at once where a blob of 8 MB goes far: each waits four round trips beside its bytes.
async fn most_to(is_far: impl Fn() -> bool, jobs: Jobs, total: f64) -> usize {
    let link = Link::new(50e6, total);
    let carry = async |size, moved| {
        sleep(Duration::from_millis(200)).await;
        link.carry(size, moved).await
    };
    let flying = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = async |size, moved| {
        let now = flying.0.fetch_add(1, Ordering::Relaxed) + 1;
        flying.1.fetch_max(now, Ordering::Relaxed);
        let carried = carry(size, moved).await;
        flying.0.fetch_sub(1, Ordering::Relaxed);
        carried
    };
    let items = stream::iter(std::iter::repeat_n(8_000_000, 200));
    let flown = fly(items, (jobs, is_far), work, |_| Ok(())).await;
    flown.unwrap_or_else(|never| match never {});
    flying.1.into_inner()
}

#[tokio::test(start_paused = true)]
async fn far_sink_gets_as_many_as_its_round_trips_need() {
    assert_eq!(most_to(|| true, Jobs::Auto, 1e9).await, 12);
    assert_eq!(most_to(|| true, Jobs::Fixed(3), 1e9).await, 3);
    assert_eq!(most_to(|| false, Jobs::Auto, 1e9).await, 8);
    // No registry says how far it is before it has answered.
    let start = Instant::now();
    let late = || start.elapsed() > Duration::from_millis(150);
    assert_eq!(most_to(late, Jobs::Auto, 1e9).await, 12);
}

#[test]
fn distance_decides_at_once_and_is_taken_back() {
    let mut limit = Limit::new(Jobs::Auto);
    let near = limit.now();
    limit.reach(false);
    assert_eq!(limit.now(), near);
    limit.reach(true);
    assert_eq!(limit.now(), 8);
    // 50 MB/s each, and then no more in all.
    for _ in 0..6 {
        limit.observe(40_000_000, WINDOW, true);
    }
    assert_eq!(limit.now(), 12);
    for _ in 0..6 {
        limit.observe(40_000_000, WINDOW, true);
    }
    assert_eq!(limit.now(), 8, "it did not help");
    limit.reach(false);
    assert_eq!(limit.now(), 8);
}

#[tokio::test(start_paused = true)]
async fn fixed_number_stays() {
    for jobs in [1, 3, 7] {
        let link = Link::new(1e6, 1e9);
        link.carry_all(20, Jobs::Fixed(jobs)).await;
        assert_eq!(link.most(), jobs);
    }
    let link = Link::new(1e9, 1e9);
    link.carry_all(3, Jobs::Fixed(0)).await;
    assert_eq!(link.most(), 1, "none at all would never end");
}

/// Answers that carry nothing, over a long round trip: they count, too.
#[tokio::test(start_paused = true)]
async fn round_trips_without_content_are_made_side_by_side() {
    let flying = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let look = async |(), _| {
        most.fetch_max(
            flying.fetch_add(1, Ordering::Relaxed) + 1,
            Ordering::Relaxed,
        );
        sleep(Duration::from_millis(50)).await;
        flying.fetch_sub(1, Ordering::Relaxed);
        Ok::<_, Infallible>(())
    };
    let items = stream::iter(std::iter::repeat_n((), 1000));
    let flown = fly(items, (Jobs::Auto, || false), look, Ok).await;
    flown.unwrap_or_else(|never| match never {});
    assert_eq!(most.into_inner(), 8);
}

#[tokio::test(start_paused = true)]
async fn error_ends_the_flight_and_cancels_the_others() {
    let landed = AtomicUsize::new(0);
    let work = async |n: u64, _| {
        sleep(Duration::from_millis(10 * n)).await;
        landed.fetch_add(1, Ordering::Relaxed);
        if n == 2 { Err("two") } else { Ok(n) }
    };
    let items = largest_first((1..=9).collect(), |n: &u64| 9 - n);
    let flown = fly(items, (Jobs::Fixed(3), || false), work, |_| Ok(())).await;
    assert_eq!(flown, Err("two"));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(landed.into_inner(), 2, "those in the air went with it");
}

/// Items that are made one by one: nobody takes them before there is room.
#[tokio::test(start_paused = true)]
async fn item_is_taken_only_when_there_is_room() {
    let taken = AtomicUsize::new(0);
    let landed = AtomicUsize::new(0);
    let items = stream::iter(0..50).inspect(|_| {
        taken.fetch_add(1, Ordering::Relaxed);
    });
    let work = async |_: i32, _| {
        sleep(Duration::from_millis(10)).await;
        let ahead = taken.load(Ordering::Relaxed) - landed.load(Ordering::Relaxed);
        assert!(ahead <= 3, "{ahead} were taken");
        Ok::<_, Infallible>(())
    };
    let flown = fly(items, (Jobs::Fixed(3), || false), work, |()| {
        landed.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    flown.await.unwrap_or_else(|never| match never {});
    assert_eq!(landed.into_inner(), 50);
}
