//! Selections that consist of single choices, such as ports 80 and 443 or two conversations.

use crate::filter::Expr;

/// Returns true if the selection contains the choice.
pub(super) fn contains_choice(choices: &Expr, choice: &Expr) -> bool {
    match (choices, choice) {
        (Expr::In(field, all), Expr::In(of, one)) if field == of => all.has(one),
        (Expr::Or(all), choice) => all.iter().any(|choices| contains_choice(choices, choice)),
        (one, choice) => one == choice,
    }
}

/// Adds a choice to the selection, or removes it if the selection contains it.
pub(super) fn toggled(choices: Option<&Expr>, choice: Expr) -> Option<Expr> {
    let Some(choices) = choices else { return Some(choice) };
    if let Expr::Not(_) = choices {
        // An exclusion is not a list of choices.
        return Some(choice);
    }
    let alternatives =
        if let Expr::Or(all) = choices { all } else { std::slice::from_ref(choices) };
    let mut result = Vec::new();
    let mut is_done = false;
    for alternative in alternatives {
        match (alternative, &choice) {
            (Expr::In(field, all), Expr::In(of, some)) if field == of && !is_done => {
                is_done = true;
                result.extend(all.toggled(some).map(|set| Expr::In(*field, set)));
            }
            (alternative, choice) if alternative == choice => is_done = true,
            _ => result.push(alternative.clone()),
        }
    }
    if !is_done {
        result.push(choice);
    }
    if result.len() < 2 { result.pop() } else { Some(Expr::Or(result)) }
}
