//! What the types promise: the traits and sizes that users rely on.

use core::time::Duration;

use surmise_detector::{
    Beat, Bertier, BertierConfig, Capped, Chen, ChenConfig, ConfigError, Exponential,
    ExponentialConfig, ExponentialScale, ExponentiallyWeighted, FixedTimeout, Incarnated,
    JitterScaled, JitterScaledConfig, LateIntervals, Link, MinStdDeviation, PhiAccrual, PhiConfig,
    PhiScale, QosContract, QosMeter, QosReport, RateTarget, RateTargetConfig, Satzger,
    SatzgerConfig, TwoWindow, TwoWindowConfig, Unattainable, Verdict,
};

#[derive(Clone, Debug)]
struct Detectors {
    _bertier: Bertier<[i64; 4]>,
    _capped: Capped<RateTarget>,
    _chen: Chen<Box<[i64]>>,
    _exponential: Exponential<[u64; 4]>,
    _fixed: Incarnated<FixedTimeout>,
    _jitter_scaled: JitterScaled,
    _phi: PhiAccrual<[u32; 4]>,
    _phi_boxed: PhiAccrual<Box<[u32]>>,
    _phi_weighted: PhiAccrual<ExponentiallyWeighted>,
    _rate_target: RateTarget,
    _satzger: Satzger<Box<[u64]>>,
    _two_window: TwoWindow<[i64; 4]>,
    _meter: QosMeter,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Values {
    bertier: BertierConfig,
    chen: ChenConfig,
    exponential: ExponentialConfig,
    jitter_scaled: JitterScaledConfig,
    phi: PhiConfig,
    min_std_deviation: MinStdDeviation,
    rate_target: RateTargetConfig,
    satzger: SatzgerConfig,
    two_window: TwoWindowConfig,
    contract: QosContract,
    link: Link,
    report: QosReport,
    config_error: ConfigError,
    unattainable: Unattainable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Choices {
    beat: Beat,
    verdict: Verdict,
    exponential_scale: ExponentialScale,
    phi_scale: PhiScale,
    late_intervals: LateIntervals,
}

#[test]
fn types_are_shareable() {
    fn shareable<T: Send + Sync + Unpin + 'static>() {}
    fn error<E: core::error::Error>() {}
    shareable::<Detectors>();
    shareable::<Values>();
    shareable::<Choices>();
    error::<ConfigError>();
    error::<Unattainable>();
}

#[test]
fn detectors_are_as_small_as_they_say() {
    assert_eq!(size_of::<FixedTimeout>(), 32);
    assert_eq!(size_of::<RateTarget>(), 56);
    assert_eq!(size_of::<PhiAccrual<ExponentiallyWeighted>>(), 64);
    assert_eq!(size_of::<Exponential<ExponentiallyWeighted>>(), 64);
    assert_eq!(size_of::<JitterScaled>(), 64);
    assert_eq!(size_of::<Capped<JitterScaled>>(), 64 + 16);
    // A boxed window of a thousand intervals, with everything around it.
    assert!(size_of::<PhiAccrual<Box<[u32]>>>() + 1000 * size_of::<u32>() <= 4200);
    assert!(size_of::<PhiAccrual<[u32; 1000]>>() <= 4200);
}

#[test]
fn errors_name_the_field_the_value_and_the_range() {
    let interval = Duration::from_millis(100);
    let config = PhiConfig { threshold: -1.0, ..PhiConfig::for_interval(interval) };
    let error = PhiAccrual::<[u32; 4]>::new(config).unwrap_err();
    assert_eq!(
        error,
        ConfigError::Number { field: "threshold", value: -1.0, min: 1e-300, max: 1e5 }
    );
    assert_eq!(error.to_string(), "`threshold` is -1.0, but must lie between 1e-300 and 100000.0");
    let error = FixedTimeout::new(Duration::ZERO).unwrap_err();
    assert!(error.to_string().starts_with("`timeout` is 0ns, but must lie between 1ns and"));
    let fixed = || FixedTimeout::new(interval).unwrap();
    let error = Capped::new(fixed(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().starts_with("`limit` is 0ns, but must lie between 1ns and"));
    assert!(Capped::new(fixed(), Duration::MAX).is_err());
    let error =
        Chen::<[i64; 0]>::new(ChenConfig { interval, safety_margin: interval }).unwrap_err();
    assert_eq!(error.to_string(), "`window` is 0, but must lie between 1 and 65536");
}

#[cfg(feature = "serde")]
#[test]
fn configurations_survive_serde() {
    let config = PhiConfig {
        min_std_deviation: MinStdDeviation::Absolute(Duration::from_millis(5)),
        ..PhiConfig::for_interval(Duration::from_secs(1))
    };
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<PhiConfig>(&json).unwrap(), config);
    let misspelt = json.replace("threshold", "treshold");
    assert!(serde_json::from_str::<PhiConfig>(&misspelt).is_err());
    let chen =
        r#"{"interval":{"secs":0,"nanos":100000000},"safety_margin":{"secs":0,"nanos":50000000}}"#;
    let margin = serde_json::from_str::<ChenConfig>(chen).unwrap().safety_margin;
    assert_eq!(margin, Duration::from_millis(50));
    assert_eq!(serde_json::to_string(&Verdict::Suspect).unwrap(), "\"suspect\"");
}
