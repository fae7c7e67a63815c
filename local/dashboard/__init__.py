"""`make dashboard`: a page that draws the dashboards that Terraform deployed."""
