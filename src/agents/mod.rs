//! Users, agents and what each may do.
