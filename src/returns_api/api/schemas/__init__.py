"""Request and response shapes: XxxIn and XxxOut per noun. Output fields have no defaults."""
