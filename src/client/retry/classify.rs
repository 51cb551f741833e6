//! The retry table: the reaction to each failure, for each class of operations.

use crate::error::Failure;

/// The effect of repeating an operation. Set per operation by `x-retry` in the overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The operation changes nothing.
    Read,
    /// A repetition has no further effect.
    Repeat,
    /// A repetition has no further effect, but fails because the item is already removed.
    Remove,
    /// A repetition has a second effect: a second message, answer or action.
    Act,
}

/// The reaction to a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Retry within the budget.
    Retry,
    /// Wait for the attachment. The wait does not count against the budget.
    Wait,
    /// Fail.
    None,
}

/// Returns a cell of the table. `idempotent`: overrides the idempotency of the class.
pub(crate) fn remedy(class: Class, idempotent: Option<bool>, failure: Failure) -> Remedy {
    let repeatable = idempotent.unwrap_or(class != Class::Act);
    match failure {
        Failure::NotSent | Failure::RateLimited | Failure::NotProcessed => Remedy::Retry,
        Failure::AttachmentNotReady if class == Class::Read => Remedy::None,
        Failure::AttachmentNotReady => Remedy::Wait,
        Failure::Unknown if repeatable => Remedy::Retry,
        Failure::Garbled if class == Class::Read => Remedy::Retry,
        Failure::Unknown | Failure::Garbled | Failure::Misfit | Failure::Refused => Remedy::None,
    }
}

/// Returns whether the server may have applied the request, for a class and a failure.
pub(crate) fn ambiguous(class: Class, failure: Failure) -> bool {
    class != Class::Read && matches!(failure, Failure::Unknown | Failure::Garbled | Failure::Misfit)
}

#[cfg(test)]
mod tests {
    use super::{Class::*, Failure::*, Remedy::*, *};

    /// The columns of the table.
    const CLASSES: [Class; 4] = [Read, Repeat, Remove, Act];

    /// The table: the remedy for each class, and whether the server may have applied a request that is not a read.
    #[rustfmt::skip]
    const CONTRACT: [(Failure, [Remedy; 4], bool); 8] = [
        //                    Read    Repeat  Remove  Act      may have been applied
        (NotSent,            [Retry,  Retry,  Retry,  Retry],  false),
        (RateLimited,        [Retry,  Retry,  Retry,  Retry],  false),
        (AttachmentNotReady, [None,   Wait,   Wait,   Wait],   false),
        (NotProcessed,       [Retry,  Retry,  Retry,  Retry],  false),
        (Unknown,            [Retry,  Retry,  Retry,  None],   true),
        (Garbled,            [Retry,  None,   None,   None],   true),
        (Misfit,             [None,   None,   None,   None],   true),
        (Refused,            [None,   None,   None,   None],   false),
    ];

    #[test]
    fn remedies_match_the_table() {
        for (failure, row, _) in CONTRACT {
            for (class, expected) in CLASSES.into_iter().zip(row) {
                assert_eq!(remedy(class, Option::None, failure), expected, "{failure:?} of {class:?}");
            }
        }
    }

    #[test]
    fn idempotent_affects_only_unknown_failures() {
        for (failure, row, _) in CONTRACT {
            for (class, usual) in CLASSES.into_iter().zip(row) {
                let turned = failure == Unknown;
                let (yes, no) = if turned { (Retry, None) } else { (usual, usual) };
                assert_eq!(remedy(class, Some(true), failure), yes, "{failure:?} of {class:?}, idempotent");
                assert_eq!(remedy(class, Some(false), failure), no, "{failure:?} of {class:?}, not idempotent");
            }
        }
    }

    #[test]
    fn ambiguity_matches_the_table() {
        for (failure, _, may_have_been_done) in CONTRACT {
            assert!(!ambiguous(Read, failure), "a read changes nothing");
            for class in [Repeat, Remove, Act] {
                assert_eq!(ambiguous(class, failure), may_have_been_done, "{failure:?} of {class:?}");
            }
        }
    }
}
