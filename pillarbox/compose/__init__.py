"""Room: letters become shapes and values. Pure: no clock, no network, no database."""
