//! Proptest strategies for arbitrary expressions.

use super::{Expr, Field, FieldType, Lasso, Set};
use crate::axis::{MIN_VALUE, Quantity};
use proptest::prelude::*;
use summary::Address;

fn sets(field: Field) -> BoxedStrategy<Set> {
    let some = 1..4usize;
    match field.field_type() {
        FieldType::Flags => prop_oneof![
            proptest::collection::vec(any::<u8>(), some).prop_map(Set::Flags),
            (1u8..).prop_map(Set::AllFlags),
        ]
        .boxed(),
        FieldType::Text => {
            let texts = proptest::collection::vec("[a-zA-Z0-9_. <>é\"]{0,6}", some);
            (texts, any::<bool>())
                .prop_map(
                    |(texts, is_part)| if is_part { Set::Contains } else { Set::Texts }(texts),
                )
                .boxed()
        }
        FieldType::Address => {
            let v4 = (any::<u32>(), 0u32..=32).prop_map(|(number, len)| {
                let rest = u32::MAX.checked_shr(len).unwrap_or(0);
                let v4 = |number: u32| Address::V4(number.to_be_bytes());
                (v4(number & !rest), v4(number | rest))
            });
            let range = (any::<[u8; 16]>(), any::<[u8; 16]>())
                .prop_map(|(a, b)| (Address::V6(a.min(b)), Address::V6(a.max(b))));
            let mac = any::<[u8; 6]>().prop_map(|mac| (Address::Mac(mac), Address::Mac(mac)));
            proptest::collection::vec(prop_oneof![v4, range, mac], some)
                .prop_map(Set::Addresses)
                .boxed()
        }
        kind => {
            // Selections in charts can extend beyond the domain of a field. Times and durations beyond
            // these limits cannot be written.
            let number = match kind {
                FieldType::Number { .. } => MIN_VALUE..=i64::MAX,
                _ => -(1 << 60)..=1 << 60,
            };
            let range = (number.clone(), number).prop_map(|(a, b)| (a.min(b), a.max(b)));
            proptest::collection::vec(range, some).prop_map(Set::Numbers).boxed()
        }
    }
}

fn fields() -> impl Strategy<Value = Field> {
    let tag = Field::parse("tag_site_1").expect("a field");
    proptest::sample::select(Field::all().chain([tag]).collect::<Vec<_>>())
}

/// Arbitrary expressions.
pub fn exprs() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        fields().prop_map(Expr::Has),
        fields().prop_flat_map(|field| sets(field).prop_map(move |set| Expr::In(field, set))),
        fields().prop_flat_map(|field| sets(field).prop_map(move |set| match set {
            Set::AllFlags(mask) => Expr::NotIn(field, Set::Flags(vec![mask])),
            Set::Contains(texts) => Expr::NotIn(field, Set::Texts(texts)),
            set => Expr::NotIn(field, set),
        })),
        (proptest::collection::vec((0i64..99, 0i64..99), 3..6), any::<bool>()).prop_map(
            |(points, is_log)| Expr::Lasso(Lasso {
                x: (Quantity::Time, false),
                y: (Quantity::Gap, is_log),
                points
            })
        ),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|expr| Expr::Not(Box::new(expr))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            proptest::collection::vec(inner, 2..4).prop_map(Expr::Or),
        ]
    })
}
