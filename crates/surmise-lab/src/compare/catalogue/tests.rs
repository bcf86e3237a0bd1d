use super::*;

#[test]
fn names_and_values_are_parsed_and_told_apart() {
    let point: Point = "rate-target=1e-3".parse().unwrap();
    assert_eq!(point, Point { kind: Kind::RateTarget, parameter: 1e-3 });
    let parse = |text: &str| text.parse::<Point>().unwrap_err();
    assert_eq!(parse("phi"), PointError::Form);
    assert_eq!(parse("Phi=8"), PointError::Name("Phi".to_owned()));
    for value in ["", "-1", "NaN", "inf", "8s"] {
        assert_eq!(parse(&format!("phi={value}")), PointError::Value(value.to_owned()));
    }
    let in_seconds = parse("fixed=500ms");
    assert_eq!(in_seconds, PointError::Seconds("500ms".to_owned()));
    assert!(in_seconds.to_string().starts_with("\"500ms\" is not a number of seconds"));
}

#[test]
fn a_nominal_rate_leads_to_its_parameter_and_back() {
    for kind in Kind::ALL {
        for rate in [0.1, 0.01, 0.001] {
            let Some(point) = kind.for_nominal_rate(rate) else {
                assert_eq!(kind.nominal_rate(1.0), None);
                continue;
            };
            let back = kind.nominal_rate(point.parameter).unwrap();
            assert!((back / rate - 1.0).abs() < 1e-12, "{kind:?}: {rate} became {back}");
        }
    }
}

#[test]
fn swept_times_are_whole_nanoseconds_that_rise() {
    for kind in Kind::ALL {
        let sweep = kind.sweep(0.1);
        let mut sorted = sweep.clone();
        sorted.sort_by(|a, b| a.parameter.total_cmp(&b.parameter));
        if kind == Kind::RateTarget {
            sorted.reverse();
        }
        assert_eq!(sweep, sorted, "{kind:?}");
        for point in sweep.iter().filter(|_| kind.is_time()) {
            let nanos = (point.parameter * 1e9).round();
            assert_eq!(nanos / 1e9, point.parameter, "{kind:?}");
        }
    }
}
