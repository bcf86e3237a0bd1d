//! Structured Fields, as far as an Item needs them whose value is a String: RFC 9651, section 4.2.

/// Reads a value from left to right. What returns `None` leaves the rest where it ceases to be well-formed.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    value: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Parser<'a> {
    pub(super) const fn new(value: &'a [u8]) -> Self {
        Self { value, rest: value }
    }

    /// Parses all of the value as an Item, and returns its String.
    pub(super) fn string_item(&mut self) -> Option<String> {
        self.skip(|byte| byte == b' ');
        let string = self.string()?;
        self.parameters()?;
        self.skip(|byte| byte == b' ');
        self.rest.is_empty().then_some(string)
    }

    /// Returns where the rest begins.
    pub(super) const fn at(&self) -> usize {
        self.value.len() - self.rest.len()
    }

    /// Returns whether the first character but spaces is a quote.
    pub(super) fn began_string(&self) -> bool {
        self.value.iter().find(|&&byte| byte != b' ') == Some(&b'"')
    }

    fn string(&mut self) -> Option<String> {
        self.take(|byte| byte == b'"')?;
        let mut string = String::new();
        loop {
            match self.take(|byte| matches!(byte, b' '..=b'~'))? {
                b'"' => return Some(string),
                b'\\' => string.push(self.take(|byte| matches!(byte, b'"' | b'\\'))?.into()),
                byte => string.push(byte.into()),
            }
        }
    }

    fn parameters(&mut self) -> Option<()> {
        while self.take(|byte| byte == b';').is_some() {
            self.skip(|byte| byte == b' ');
            self.take(|byte| byte.is_ascii_lowercase() || byte == b'*')?;
            self.skip(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte)
            });
            if self.take(|byte| byte == b'=').is_some() {
                self.bare_item()?;
            }
        }
        Some(())
    }

    fn bare_item(&mut self) -> Option<()> {
        match self.rest.first()? {
            b'"' => self.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.number().map(|_| ()),
            b'@' => {
                self.take(|byte| byte == b'@')?;
                (self.number()? == Number::Integer).then_some(())
            }
            b'?' => {
                self.take(|byte| byte == b'?')?;
                self.take(|byte| matches!(byte, b'0' | b'1')).map(|_| ())
            }
            b':' => {
                self.take(|byte| byte == b':')?;
                self.skip(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
                self.take(|byte| byte == b':').map(|_| ())
            }
            b'%' => self.display_string(),
            byte if byte.is_ascii_alphabetic() || *byte == b'*' => {
                self.skip(|byte| {
                    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
                });
                Some(())
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Number> {
        let _ = self.take(|byte| byte == b'-');
        let digits = self.skip(|byte| byte.is_ascii_digit());
        if self.take(|byte| byte == b'.').is_none() {
            return (1..=15).contains(&digits).then_some(Number::Integer);
        }
        let fraction = self.skip(|byte| byte.is_ascii_digit());
        let is_decimal = (1..=12).contains(&digits) && (1..=3).contains(&fraction);
        is_decimal.then_some(Number::Decimal)
    }

    fn display_string(&mut self) -> Option<()> {
        self.take(|byte| byte == b'%')?;
        self.take(|byte| byte == b'"')?;
        let mut bytes = Vec::new();
        loop {
            match self.take(|byte| matches!(byte, b' '..=b'~'))? {
                b'"' => return core::str::from_utf8(&bytes).is_ok().then_some(()),
                b'%' => {
                    let [high, low] = [self.hex_digit()?, self.hex_digit()?];
                    bytes.push(high << 4 | low);
                }
                byte => bytes.push(byte),
            }
        }
    }

    /// Lower case only, as RFC 9651 has it.
    fn hex_digit(&mut self) -> Option<u8> {
        let digit = self.take(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))?;
        Some(if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 })
    }

    /// Takes the next byte, if it is such a one.
    fn take(&mut self, is_wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first().filter(|&(&byte, _)| is_wanted(byte))?;
        self.rest = rest;
        Some(byte)
    }

    /// Skips such bytes, and returns how many there were.
    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) -> usize {
        let mut skipped = 0;
        while self.take(&is_skipped).is_some() {
            skipped += 1;
        }
        skipped
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Integer,
    Decimal,
}
