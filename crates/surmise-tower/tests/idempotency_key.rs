//! The header: what is a key, and which.

use axum::http::{HeaderMap, HeaderValue};
use surmise_tower::idempotency::{
    IdempotencyKey, IdempotencyKeyError as E,
    KeyForm::{Quoted, QuotedOrBare},
};

const AT: fn(usize) -> Result<&'static str, E> = |at| Err(E::Malformed { at });

#[test]
fn keys_are_strings_of_structured_fields_and_bare_ones_where_they_are_admitted() {
    // The value, and what it is with quotes only and without.
    let table = [
        (r#""8e03978e-40d5""#, Ok("8e03978e-40d5"), Ok("8e03978e-40d5")),
        (r#"  "a"  "#, Ok("a"), Ok("a")),
        (r#""a b,c;d""#, Ok("a b,c;d"), Ok("a b,c;d")),
        (r#""\"\\""#, Ok(r#""\"#), Ok(r#""\"#)),
        // Parameters mean nothing.
        (r#""a";x"#, Ok("a"), Ok("a")),
        (r#""a"; *y-_.*1=-1.125;z="\"";t=tok/en:*"#, Ok("a"), Ok("a")),
        (r#""a";b=?0;c=:YWE=:;d=@-62;e=%"%c3%bc";f=*a"#, Ok("a"), Ok("a")),
        (r#""a" ;x"#, AT(4), AT(4)),
        (r#""a";"#, AT(4), AT(4)),
        (r#""a";X"#, AT(4), AT(4)),
        (r#""a";x="#, AT(6), AT(6)),
        (r#""a";x=1."#, AT(8), AT(8)),
        (r#""a";x=-"#, AT(7), AT(7)),
        (r#""a";x=1.2345"#, AT(12), AT(12)),
        (r#""a";x=1234567890123.1"#, AT(21), AT(21)),
        (r#""a";x=1234567890123456"#, AT(22), AT(22)),
        (r#""a";x=123456789012345"#, Ok("a"), Ok("a")),
        (r#""a";x=@1.5"#, AT(10), AT(10)),
        (r#""a";x=?2"#, AT(7), AT(7)),
        (r#""a";x=:a"#, AT(8), AT(8)),
        (r#""a";x=:-:"#, AT(7), AT(7)),
        (r#""a";x=%"%C3""#, AT(9), AT(9)),
        (r#""a";x=%"%c3""#, AT(12), AT(12)),
        // What begins with a quote is a string, or nothing.
        (r#"""#, AT(1), AT(1)),
        (r#""a"#, AT(2), AT(2)),
        (r#""a"b"#, AT(3), AT(3)),
        (r#""a", "b""#, AT(3), AT(3)),
        (r#""a\b""#, AT(3), AT(3)),
        ("\"a\tb\"", AT(2), AT(2)),
        ("\"a\u{7f}\"", AT(2), AT(2)),
        ("\"ü\"", AT(1), AT(1)),
        // Other items, and lists, are no strings; some are taken for bare keys.
        ("8e03978e-40d5", AT(0), Ok("8e03978e-40d5")),
        ("  a\t", AT(2), Ok("a")),
        ("{a}/b+c=", AT(0), Ok("{a}/b+c=")),
        (":YWE=:", AT(0), Ok(":YWE=:")),
        ("a b", AT(0), AT(1)),
        (" a,b", AT(1), AT(2)),
        ("a;b", AT(0), AT(1)),
        ("a\"b\"", AT(0), AT(1)),
        ("a\\b", AT(0), AT(1)),
        ("ü", AT(0), AT(0)),
        ("", AT(0), Err(E::Empty)),
        ("  ", AT(2), Err(E::Empty)),
        (r#""""#, Err(E::Empty), Err(E::Empty)),
    ];
    for (value, quoted, any) in table {
        for (form, expected) in [(Quoted, quoted), (QuotedOrBare, any)] {
            let key = IdempotencyKey::parse(value.as_bytes(), form);
            let key = key.as_ref().map(IdempotencyKey::as_str);
            assert_eq!(key, expected.as_ref().copied(), "{value} {form:?}");
        }
    }
}

#[test]
fn keys_have_255_bytes_at_most_without_quotes_and_escapes() {
    for (length, is_key) in [(255, true), (256, false)] {
        let bare = "k".repeat(length);
        let quoted = format!("\"{}\"", r#"\""#.repeat(length));
        for value in [bare, quoted] {
            let key = value.parse::<IdempotencyKey>().map(|key| key.as_str().len());
            assert_eq!(key, if is_key { Ok(length) } else { Err(E::TooLong { length }) });
        }
    }
}

#[test]
fn a_request_has_one_key_or_none() {
    let mut headers = HeaderMap::new();
    let key = |headers: &HeaderMap| IdempotencyKey::from_headers(headers, QuotedOrBare);
    assert_eq!(key(&headers), Ok(None));
    headers.append("idempotency-key", HeaderValue::from_static("\"a\""));
    assert_eq!(key(&headers).unwrap().unwrap().as_str(), "a");
    for times in 2..4 {
        headers.append("idempotency-key", HeaderValue::from_static("\"a\""));
        assert_eq!(key(&headers), Err(E::Repeated { times }));
    }
}
