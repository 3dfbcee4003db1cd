"""A letter looked at before it is planned: one page with every way in which it will be seen, written or served."""
