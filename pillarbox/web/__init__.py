"""Door: the pages behind the letters and the hooks from outside."""
