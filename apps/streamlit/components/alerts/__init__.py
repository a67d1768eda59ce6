"""The bar of raised alerts, the panel of all alerts, and the form that adds one."""
