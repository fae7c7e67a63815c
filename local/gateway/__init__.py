"""The Regions' endpoints: a custom domain leads to one Region's REST API, as on API Gateway."""
