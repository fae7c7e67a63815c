"""The items API: routes call the logic, the logic calls the table."""
