//! The chrony source against a real `chronyd`, which follows another.

#![cfg(target_os = "linux")]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what `chronyc` prints has so many fields"
)]
#![expect(
    clippy::std_instead_of_core,
    reason = "these keep libraries honest that do without std; a test has it"
)]

#[path = "support/chronyd.rs"]
mod chronyd;

use std::{fs, io, time::Duration};

use surmise_interval::{
    Drift,
    sampler::Sampler,
    select::Smearing,
    source::{
        Leap, Source, SourceError, Unsynchronized,
        chrony::{ChronyAddress, ChronyConfig, ChronyReport, ChronySource, Tracking},
        ntp::{NtpConfig, NtpSource},
    },
};
use surmise_time::{BootClock, MonotonicClock, OsWallClock, WallClock};

use self::chronyd::{Chrony, Chronyd, wait_until};

/// So that it is synchronised in a second, and updated four times in each.
fn follow(server: &Chronyd) -> String {
    format!("server 127.0.0.1 port {} iburst minpoll -2 maxpoll -2", server.port)
}

fn udp(chronyd: &Chronyd) -> ChronyConfig {
    config(ChronyAddress::Udp(([127, 0, 0, 1], chronyd.command_port).into()))
}

fn unix(chronyd: &Chronyd) -> ChronyConfig {
    config(ChronyAddress::Unix(chronyd.socket()))
}

/// With more patience than a busy machine needs.
fn config(address: ChronyAddress) -> ChronyConfig {
    ChronyConfig { address, timeout: Duration::from_secs(60), ..ChronyConfig::default() }
}

fn report(config: &ChronyConfig) -> ChronyReport {
    ChronySource::new(config.clone()).report(&BootClock).unwrap()
}

fn wait_until_synchronised(chronyd: &Chronyd) {
    let mut source = ChronySource::new(udp(chronyd));
    // The first updates have no skew to speak of yet.
    let there = || source.sample(&BootClock).is_ok_and(|sample| sample.drift() < Drift::SPANNER);
    assert!(wait_until(there), "{:?}", chronyd.tracking());
}

#[test]
fn both_sockets_say_what_chronyc_prints() {
    let Some(chrony) = Chrony::find() else { return };
    let server = chrony.start("local stratum 8");
    let client = chrony.start(&follow(&server));
    wait_until_synchronised(&client);
    for config in [udp(&client), unix(&client)] {
        // There may be an update between the one and the other.
        assert!(wait_until(|| {
            let before = client.tracking().unwrap();
            let report = report(&config);
            let after = client.tracking().unwrap();
            // All but the dispersion stays as it is between two updates.
            let same = |field: &usize| before[*field] == after[*field];
            let undisturbed = (0..14).filter(|field| *field != 11).all(|field| same(&field));
            if undisturbed {
                compare(&report, &before, &after);
            }
            undisturbed
        }));
    }
    assert_eq!(sockets_of_ours(&client), 0);
}

fn sockets_of_ours(chronyd: &Chronyd) -> usize {
    let socket = chronyd.socket();
    let names = fs::read_dir(socket.parent().unwrap()).unwrap();
    let ours = |name: &str| name.starts_with("surmise");
    names.filter(|entry| ours(&entry.as_ref().unwrap().file_name().to_string_lossy())).count()
}

/// Compares a report with what `chronyc` printed before and after it.
fn compare(report: &ChronyReport, before: &[String], after: &[String]) {
    let tracking = report.tracking();
    let seconds = tracking.reference_time.to_string();
    let fields = [
        format!("{:08X}", tracking.reference_id),
        tracking.reference_address.unwrap().to_string(),
        tracking.stratum.to_string(),
        seconds.trim_end_matches('s').to_owned(),
        format!("{:.9}", tracking.system_time),
        format!("{:.9}", tracking.last_offset),
        format!("{:.9}", tracking.rms_offset),
        format!("{:.3}", tracking.frequency),
        format!("{:.3}", tracking.residual_frequency),
        format!("{:.3}", tracking.skew),
        format!("{:.9}", tracking.root_delay),
    ];
    assert_eq!(fields, before[..11]);
    assert_eq!(format!("{:.1}", tracking.update_interval), before[12]);
    assert_eq!((tracking.leap, before[13].as_str()), (Leap::None, "Normal"));

    let number = |fields: &[String], field: usize| fields[field].parse::<f64>().unwrap();
    let dispersions = [before, after].map(|fields| number(fields, 11));
    let within = dispersions[0] - 1e-9..=dispersions[1] + 1e-9;
    assert!(within.contains(&tracking.root_dispersion.as_f64()), "{tracking:?} {within:?}");
    let rest = number(before, 4).abs() + number(before, 10) / 2.0;
    let within = within.start() + rest - 2e-9..=within.end() + rest + 4e-9;
    assert!(within.contains(&tracking.bound().as_secs_f64()), "{tracking:?} {within:?}");

    let sample = report.sample().unwrap();
    assert!(sample.interval().contains(report.wall()));
    assert!(sample.interval().uncertainty() >= tracking.bound());
    assert!(report.bound().unwrap() >= tracking.bound());
    assert!(sample.drift() > Drift::QUARTZ, "the skew comes on top");
}

#[test]
fn chrony_and_the_server_it_follows_agree() {
    let Some(chrony) = Chrony::find() else { return };
    let server = chrony.start("local stratum 8");
    let client = chrony.start(&follow(&server));
    wait_until_synchronised(&client);
    let patience = Duration::from_secs(60);
    let ntp = NtpConfig {
        timeout: patience,
        max_uncertainty: patience,
        trust_local_reference: true,
        ..NtpConfig::default()
    };
    let mut sampler = Sampler::new()
        .with(ChronySource::new(udp(&client)), Smearing::Stepped)
        .with(NtpSource::new(([127, 0, 0, 1], server.port).into(), ntp), Smearing::Stepped);
    let round = sampler.ask(&BootClock);
    let sample = round.sample().expect("both answer and agree");
    let before = BootClock.now();
    let truth = OsWallClock.now();
    let after = BootClock.now();
    assert!(sample.interval_at(before).earliest() <= truth, "{round:?} {truth}");
    assert!(sample.interval_at(after).latest() >= truth, "{round:?} {truth}");
}

#[test]
fn the_bound_grows_after_the_server_died_and_staleness_is_judged_by_the_age() {
    let Some(chrony) = Chrony::find() else { return };
    let mut server = chrony.start("local stratum 8");
    let client = chrony.start(&follow(&server));
    wait_until_synchronised(&client);
    server.kill();
    // What was under way when the server died has come by then.
    assert!(wait_until(|| report(&udp(&client)).age() > Duration::from_secs(2)));
    let first = report(&udp(&client));
    let sample = first.sample().expect("a reference is fresh for minutes");

    let max = first.age() + Duration::from_secs(2);
    let config = ChronyConfig { min_stale_after: max, max_stale_after: max, ..udp(&client) };
    assert!(wait_until(|| report(&config).age() > max));
    let last = report(&config);
    let (old, new) = (first.tracking(), last.tracking());
    assert_eq!(old.reference_time, new.reference_time, "nobody was there to be measured");

    // Stale, although both we and chronyc are told that all is normal.
    let refused = last.sample().unwrap_err();
    let age = last.age();
    assert!(matches!(refused, SourceError::Stale { age: a, max: m } if (a, m) == (age, max)));
    assert_eq!(new.leap, Leap::None);
    assert_eq!(client.tracking().unwrap()[13], "Normal");

    // By the skew, the residual frequency and chrony's own allowance of 1 ppm.
    let rate = 1e-6 * (1.0 + new.skew.as_f64() + new.residual_frequency.as_f64().abs());
    let expected = (age - first.age()).as_secs_f64() * rate;
    let grown = new.root_dispersion.as_f64() - old.root_dispersion.as_f64();
    assert!((grown - expected).abs() < 5e-9 + expected / 100.0, "{grown} {expected}");
    let rest = |tracking: &Tracking| tracking.bound() - tracking.system_time.magnitude();
    assert!(rest(new) > rest(old));

    // We count on top of that what the oscillator may do that chrony does not expect of it.
    for report in [&first, &last] {
        let holdover = Drift::QUARTZ.over(report.age());
        assert!(holdover > Duration::from_micros(100), "{holdover:?}");
        assert!(report.bound().unwrap() >= report.tracking().bound() + holdover);
    }

    // What the first sample has grown to meanwhile allows for all that.
    let grown = sample.interval_at(BootClock.now()).uncertainty();
    assert!(grown > new.bound(), "{grown:?}");
}

#[test]
fn a_clock_that_nobody_has_set_is_unsynchronised() {
    let Some(chrony) = Chrony::find() else { return };
    let alone = chrony.start("");
    for config in [udp(&alone), unix(&alone)] {
        let report = report(&config);
        assert_eq!((report.tracking().stratum, report.tracking().leap), (0, Leap::Unsynchronized));
        let reason = Unsynchronized::LeapStatus;
        let refused = report.sample();
        assert!(matches!(refused, Err(SourceError::Unsynchronized { reason: r }) if r == reason));
    }
}

#[test]
fn a_clock_that_is_its_own_reference_is_believed_only_if_told_to() {
    let Some(chrony) = Chrony::find() else { return };
    let local = chrony.start("local stratum 8");
    let refused = report(&udp(&local)).sample();
    let reason = Unsynchronized::LocalReference;
    assert!(matches!(refused, Err(SourceError::Unsynchronized { reason: r }) if r == reason));

    let config = ChronyConfig { trust_local_reference: true, ..udp(&local) };
    let report = report(&config);
    assert_eq!((report.tracking().stratum, report.tracking().bound()), (8, Duration::ZERO));
    assert!(report.sample().unwrap().interval().contains(report.wall()));
}

#[test]
fn a_chronyd_that_is_gone_is_an_error_and_not_a_wait() {
    let Some(chrony) = Chrony::find() else { return };
    let mut chronyd = chrony.start("local stratum 8");
    chronyd.kill();
    for config in [udp(&chronyd), unix(&chronyd)] {
        let error = ChronySource::new(config).sample(&BootClock).unwrap_err();
        let refused = io::ErrorKind::ConnectionRefused;
        let is_refused = matches!(&error, SourceError::Io { error, .. } if error.kind() == refused);
        assert!(is_refused, "{error:?}");
    }
    assert_eq!(sockets_of_ours(&chronyd), 0);

    let nowhere = ChronyAddress::Unix("/nowhere/chronyd.sock".into());
    let error = ChronySource::new(config(nowhere)).sample(&BootClock).unwrap_err();
    let missing = io::ErrorKind::NotFound;
    assert!(matches!(&error, SourceError::Io { error, .. } if error.kind() == missing));
    assert!(error.to_string().contains("/nowhere/surmise-"), "{error}");
}
