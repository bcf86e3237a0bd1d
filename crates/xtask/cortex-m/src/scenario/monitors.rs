use core::{fmt, time::Duration};

use surmise_detector::FixedTimeout;
use surmise_monitor::{CorrelatedExpiry, Grace, Monitor, MonitorConfig};
use surmise_time::Instant;

use super::{random::Random, report::Report};

/// Reports what a monitor finds out of peers that come, go and fall silent, and of an observer that is paused.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let config = MonitorConfig {
        grace: Some(Grace {
            min: Duration::from_millis(300),
            max: Duration::from_secs(2),
            confirmations: 2,
        }),
        correlated_expiry: Some(CorrelatedExpiry { peers: 3, ..CorrelatedExpiry::default() }),
        max_peers: 12,
        ..MonitorConfig::default()
    };
    let (Ok(mut monitor), Ok(detector)) =
        (Monitor::new(config), FixedTimeout::new(Duration::from_millis(200)))
    else {
        return report.text("monitor", 0, format_args!("refused"));
    };
    let mut random = Random::new(82);
    let mut now = Instant::ORIGIN;
    for number in 0..600 {
        let most = if random.below(50) == 0 { 3_000_000_000 } else { 40_000_000 };
        now += Duration::from_nanos(random.below(most));
        let (peer, incarnation) = (random.below(14), random.below(40) / 13);
        match random.below(12) {
            0 | 1 => {
                report.value(
                    "monitor_watch",
                    number,
                    &monitor.watch(peer, detector.clone(), now),
                )?;
            }
            2 => {
                report.value("monitor_refute", number, &monitor.refute(&peer, incarnation, now))?
            }
            3 => {
                let confirmed = monitor.confirm(&peer, incarnation, random.below(4), now);
                report.value("monitor_confirm", number, &confirmed)?;
            }
            4 => report.value("monitor_unwatch", number, &monitor.unwatch(&peer))?,
            _ => {
                let beat = monitor.heartbeat(&peer, incarnation, number + random.below(3), now);
                report.value("monitor_heartbeat", number, &beat)?;
            }
        }
        for event in monitor.poll(now) {
            report.value("monitor_event", number, &event)?;
        }
        report.deadline("monitor_deadline", number, monitor.deadline())?;
    }
    Ok(())
}
