use super::*;

fn options() -> RangeOptions {
    RangeOptions {
        connections: 16,
        measure: Duration::from_millis(100),
        ..RangeOptions::default()
    }
}

/// As many connections as there may be.
fn all(lanes: &Arc<Lanes>) -> Vec<Lane> {
    std::iter::from_fn(|| lanes.another()).collect()
}

/// Lets time pass while each connection moves so many bytes a second, to at most `link` in all.
async fn run(lanes: &Arc<Lanes>, first: &Lane, each: u64, link: u64) -> usize {
    let mut most = 0;
    for _ in 0..600 {
        let others = all(lanes);
        let open = others.len() as u64 + 1;
        most = most.max(open as usize);
        tokio::time::advance(Duration::from_millis(10)).await;
        first.moved((each * open).min(link) / 100);
    }
    most
}

#[tokio::test(start_paused = true)]
async fn connections_grow_while_they_help() {
    let lanes = Arc::new(Lanes::new(options()));
    let first = lanes.first();
    assert!(lanes.another().is_none(), "one is the rule");
    lanes.widen(50e6);
    assert_eq!(run(&lanes, &first, 50_000_000, u64::MAX).await, 16);
    assert_eq!(lanes.share(), 16);
    // The link is full with eight: the step to sixteen is taken back.
    let lanes = Arc::new(Lanes::new(options()));
    let first = lanes.first();
    lanes.widen(50e6);
    assert_eq!(run(&lanes, &first, 50_000_000, 400_000_000).await, 16);
    assert_eq!(lanes.share(), 8);
}

#[tokio::test(start_paused = true)]
async fn slow_link_is_left_to_one_connection() {
    let lanes = Arc::new(Lanes::new(options()));
    let first = lanes.first();
    lanes.widen(3e6);
    assert!(lanes.are_many());
    assert_eq!(run(&lanes, &first, 3_000_000, 3_000_000).await, 4);
    assert!(!lanes.are_many());
    assert!(lanes.another().is_none());
    lanes.widen(3e6);
    assert!(!lanes.are_many(), "not tried again at once");
    tokio::time::advance(REST).await;
    lanes.widen(3e6);
    assert!(lanes.are_many());
}

#[tokio::test(start_paused = true)]
async fn blobs_share_connections_and_memory() {
    let lanes = Arc::new(Lanes::new(options()));
    let firsts: Vec<_> = (0..6).map(|_| lanes.first()).collect();
    lanes.widen(50e6);
    let splitting: Vec<_> = (0..4).map(|_| lanes.split()).collect();
    assert_eq!((all(&lanes).len(), lanes.share()), (10, 4));
    assert_eq!(lanes.window(), 4 * WINDOW);
    firsts[0].is_too_much();
    assert_eq!(lanes.share(), 1);
    drop((firsts, splitting));
    let state = lanes.state();
    assert_eq!((state.open, state.splitting), (0, 0));
}
