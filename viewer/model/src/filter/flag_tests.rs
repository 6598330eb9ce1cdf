//! Tests of single TCP flags, as written for Wireshark and tcpdump.

use super::lexer::TokenKind;
use super::literals::{flag, flag_text, flags, number};
use super::operands::EXPECTED_FLAGS;
use super::parse::{Parser, Result, joined};
use super::{Error, Expr, Field, Set};
use std::ops::Range;

impl Parser<'_, '_> {
    /// The operand of `has`, or of Wireshark's `&`, which matches if any of the flags is set.
    pub(super) fn masked_flags(&mut self, operator: Range<usize>) -> Result<Expr> {
        let is_any = &self.text[operator] == "&";
        // Without flags, the condition would say nothing.
        let mask = self.flags_word(|mask| mask != 0)?;
        let has = |mask| Expr::In(Field::Flags, Set::AllFlags(mask));
        if !is_any {
            return Ok(has(mask));
        }
        let bits = (0..8).map(|bit| 1 << bit).filter(|bit| mask & bit != 0);
        let any = joined(bits.map(has).collect(), Expr::Or);
        let is_equal = self.take(&["==", "=", "eq"]);
        if !is_equal && !self.take(&["!=", "ne"]) {
            return Ok(any);
        }
        let value = self.flags_word(|_| true)?;
        // No other value has these bits and no others of the mask.
        let values = || (0..=u8::MAX).filter(|flags| flags & mask == value).collect();
        Ok(match (is_equal, value) {
            (false, 0) => any,
            (true, 0) => has_flags_but_not(any),
            (true, _) if value == mask => has(mask),
            (false, _) if value == mask => has_flags_but_not(has(mask)),
            (true, _) => Expr::In(Field::Flags, Set::Flags(values())),
            (false, _) => Expr::NotIn(Field::Flags, Set::Flags(values())),
        })
    }

    /// The flags in the next word, if they are accepted.
    fn flags_word(&mut self, is_accepted: impl Fn(u8) -> bool) -> Result<u8> {
        let found = match self.peek() {
            TokenKind::Word(text) => flags(text).filter(|flags| is_accepted(*flags)),
            _ => None,
        };
        let found = found.ok_or_else(|| self.error(EXPECTED_FLAGS))?;
        self.next();
        Ok(found)
    }

    /// What follows one of Wireshark's fields for single flags.
    pub(super) fn flag_test(&mut self, bit: u8) -> Result<Expr> {
        let is_equal = self.take(&["==", "=", "eq"]);
        if !is_equal && !self.take(&["!=", "ne"]) {
            return Ok(Expr::Has(Field::Flags));
        }
        let is_set = match self.peek() {
            TokenKind::Word(word) if word.eq_ignore_ascii_case("true") => 1,
            TokenKind::Word(word) if word.eq_ignore_ascii_case("false") => 0,
            TokenKind::Word(word) => number(word).unwrap_or(-1),
            _ => -1,
        };
        if !(0..=1).contains(&is_set) {
            return Err(self.error("Expected 0 or 1"));
        }
        self.next();
        let has = Expr::In(Field::Flags, Set::AllFlags(bit));
        Ok(match (is_set == 1) == is_equal {
            true => has,
            false => has_flags_but_not(has),
        })
    }
}

/// The packets with TCP flags that do not match an expression.
fn has_flags_but_not(expr: Expr) -> Expr {
    Expr::Has(Field::Flags).and(Expr::Not(Box::new(expr)))
}

/// The error for a bracket at this offset. In tcpdump's language, it selects bytes of packets. Tests of TCP flags in
/// that notation, such as `tcp[tcpflags] & (tcp-syn|tcp-fin) != 0` (pcap-filter(7)), have a correction.
pub(super) fn bracket(text: &str, at: usize) -> Box<Error> {
    let message = "Bytes of packets cannot be compared; for flags, use e.g. flags has SYN";
    let error = Error::new(at..at + 1, message);
    match flags_of_bytes(text, at) {
        Some((range, fixed)) => error.with_fix(range, &fixed),
        None => error,
    }
}

/// The range of tcpdump's test of flags around a bracket, and the same test as Wireshark writes it.
fn flags_of_bytes(text: &str, at: usize) -> Option<(Range<usize>, String)> {
    let before = text[..at].trim_end().strip_suffix("tcp")?;
    if before.ends_with(|c: char| c.is_alphanumeric() || ".-_:".contains(c)) {
        return None;
    }
    let (offset, mut rest) = text[at + 1..].split_once(']')?;
    if !["tcpflags", "13"].contains(&offset.trim()) {
        return None;
    }
    let mut fixed = "tcp.flags".to_owned();
    if let Some(after) = rest.trim_start().strip_prefix('&') {
        let (mask, after) = flags_operand(after)?;
        fixed += &format!(" & {mask}");
        rest = after;
    }
    let rest = rest.trim_start();
    let (operator, rest) = ["==", "!=", "="]
        .into_iter()
        .find_map(|operator| Some((operator, rest.strip_prefix(operator)?)))?;
    let (value, rest) = flags_operand(rest)?;
    Some((before.len()..text.len() - rest.len(), fixed + &format!(" {operator} {value}")))
}

/// The flags at the start of a text, by name or as a number, and the text that follows: `tcp-syn`, `(tcp-syn|tcp-ack)`
/// or `0x12`.
fn flags_operand(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let (operand, rest) = match text.strip_prefix('(') {
        Some(inner) => inner.split_once(')')?,
        None => {
            let is_in_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
            text.split_at(text.find(|c| !is_in_word(c)).unwrap_or(text.len()))
        }
    };
    let bits = operand.split('|').try_fold(0, |bits, one| {
        let one = one.trim();
        let bit = match one.strip_prefix("tcp-") {
            Some(name) => flag(if name == "push" { "psh" } else { name })?,
            None => u8::try_from(number(one)?).ok()?,
        };
        Some(bits | bit)
    })?;
    Some((flag_text(bits), rest))
}
