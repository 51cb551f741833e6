//! The contract's table: which failure of which operation may be tried again.

use crate::error::Failure;

/// What an operation does when it is carried out twice; `x-retry` in the overlay says it for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It changes nothing.
    Read,
    /// Twice is the same as once.
    Repeat,
    /// Twice is the same as once, except that the second time there is nothing left to remove.
    Remove,
    /// Twice is two messages, two answers, two actions.
    Act,
}

/// What may be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Try again within the budget.
    Retry,
    /// Wait for the attachment, outside the budget.
    Wait,
    /// Give up.
    None,
}

/// A cell of the table. `idempotent` is the caller's word on whether twice is the same as once, if there is one.
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

/// Whether the server may have done what was asked, for all that the failure tells.
pub(crate) fn ambiguous(class: Class, failure: Failure) -> bool {
    class != Class::Read && matches!(failure, Failure::Unknown | Failure::Garbled | Failure::Misfit)
}

#[cfg(test)]
mod tests {
    use super::{Class::*, Failure::*, Remedy::*, *};

    /// The contract, a row a failure; the columns are the classes in this order.
    const CLASSES: [Class; 4] = [Read, Repeat, Remove, Act];

    /// A remedy for each class, and whether the server may have done it (to whatever changes something).
    #[rustfmt::skip]
    const CONTRACT: [(Failure, [Remedy; 4], bool); 8] = [
        //                    Read    Repeat  Remove  Act      may have been done
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
    fn the_contract_holds_cell_by_cell() {
        for (failure, row, _) in CONTRACT {
            for (class, expected) in CLASSES.into_iter().zip(row) {
                assert_eq!(remedy(class, Option::None, failure), expected, "{failure:?} of {class:?}");
            }
        }
    }

    #[test]
    fn the_callers_word_on_idempotency_turns_the_ambiguous_rows_and_no_other() {
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
    fn what_may_have_been_done_is_known_for_every_cell() {
        for (failure, _, may_have_been_done) in CONTRACT {
            assert!(!ambiguous(Read, failure), "reading does nothing");
            for class in [Repeat, Remove, Act] {
                assert_eq!(ambiguous(class, failure), may_have_been_done, "{failure:?} of {class:?}");
            }
        }
    }
}
