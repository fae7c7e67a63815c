"""The function's speed and size beside the same API on FastAPI, Mangum and boto3."""
