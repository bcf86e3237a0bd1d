use core::f64::consts::LOG10_2;

/// z and φ(z), for every branch of its computation.
///
/// φ was computed with 60 digits. At −38 it is subnormal, and has few.
pub const PHI_VALUES: [(f64, f64); 7] = [
    (-38.0, 1.253_125_614_7e-316),
    (-5.0, 1.244_912_137_388_291_7e-7),
    (0.0, LOG10_2),
    (3.0, 2.869_699_035_929_369),
    (8.0, 15.206_142_551_017_155),
    (30.0, 197.309_209_261_660_95),
    (1000.0, 217_150.640_041_994_4),
];
