//! Figures on real customers, against those of scikit-learn and lifelines; `tests/data/README.md` says where both are from.

mod churn;
mod data;
mod purchases;
mod survival;
