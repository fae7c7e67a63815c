data "aws_cloudfront_cache_policy" "caching_disabled" {
  name = "Managed-CachingDisabled"
}

# Everything the viewer sends, but what isn't his to say:
# - Host: the Region's custom domain must see the origin's name in Host and SNI, or
#   it doesn't know which API is meant.
# - x-amzn-trace-id: the gateway takes up a trace and its Sampled=1, so that callers
#   would choose what X-Ray keeps, and is paid for.
# - x-amzn-requestid: it overrides $context.requestId (API Gateway's set-up-logging),
#   so that a caller would choose the id that his requests are found by.
# - x-http-method-override: "API Gateway overrides the method" (its known issues), so
#   that what is a GET to the edge, and sent again by it, could be a DELETE behind it.
#
# Whether CloudFront takes the names with x-amzn in a policy is untried. It refuses
# Authorization and Accept-Encoding, and says so for no other.
resource "aws_cloudfront_origin_request_policy" "viewer" {
  name    = "${var.name}-viewer"
  comment = "What a viewer sends, less what names the API, a trace, a request or a method"

  headers_config {
    header_behavior = "allExcept"

    headers {
      items = ["host", "x-amzn-requestid", "x-amzn-trace-id", "x-http-method-override"]
    }
  }

  cookies_config {
    cookie_behavior = "all"
  }

  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_response_headers_policy" "security" {
  # checkov:skip=CKV_AWS_259: Two years and subdomains are said; a place on browsers' preload list is for the whole domain's owner to ask for, and hard to leave.
  name    = "${var.name}-security"
  comment = "Security headers of an API that serves no documents"

  security_headers_config {
    content_security_policy {
      content_security_policy = "default-src 'none'; frame-ancestors 'none'"
      override                = true
    }

    content_type_options {
      override = true
    }

    frame_options {
      frame_option = "DENY"
      override     = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 63072000
      include_subdomains         = true
      preload                    = false
      override                   = true
    }
  }
}

resource "aws_cloudfront_function" "viewer_request" {
  name    = "${var.name}-viewer-request"
  comment = "Reads try both Regions; what a viewer may not choose is taken away"
  runtime = "cloudfront-js-2.0"
  publish = true

  code = templatefile("${path.module}/functions/viewer_request.js", {
    read_origins = jsonencode(local.read_origins)
  })

  # CloudFront deletes no function that a distribution still names: the next one is
  # there before the distribution changes to it, and this one goes after that.
  lifecycle {
    create_before_destroy = true
  }
}

locals {
  # An origin's id, where it is, and for how many seconds the edge waits to connect
  # and for an answer. A Region that doesn't take a connection in 2 or 3 s is not
  # going to. A read waits no longer than it has to, for there is another Region to
  # ask; a write waits for the one that may have done it.
  origins = {
    writes = {
      domain_name        = local.origin_domain_name
      connection_timeout = 3
      read_timeout       = var.origin_read_timeout_seconds
    }
    reads = {
      domain_name        = local.origin_domain_name
      connection_timeout = 2
      read_timeout       = var.read_timeout_seconds
    }
    standby = {
      domain_name        = local.region_domain_names.standby
      connection_timeout = 2
      read_timeout       = var.read_timeout_seconds
    }
  }

  write_origin = "writes"
  read_origins = ["reads", "standby"]

  # Every code whose time CloudFront lets one set, but 416, which it never keeps.
  error_codes_kept_by_cloudfront = [400, 403, 404, 405, 414, 500, 501, 502, 503, 504]
}

resource "aws_cloudfront_distribution" "this" {
  # checkov:skip=CKV_AWS_86: Access logs are delivered by logging v2 (logging.tf), which isn't a block of the distribution.
  # checkov:skip=CKV_AWS_305: It serves an API and no documents: / is a 404 of its own.
  # checkov:skip=CKV_AWS_310: The viewer-request function makes the origin group, for reads alone; a static one takes no writes.
  # checkov:skip=CKV_AWS_374: Who may call from where is the account's to say (geo_restriction).
  # checkov:skip=CKV2_AWS_47: KnownBadInputs is in the dynamic rule, which this check doesn't read; its Log4J rules block but for the body's, which counts.
  comment         = "${var.name}: ${local.public_domain_name}"
  enabled         = true
  aliases         = [local.public_domain_name]
  http_version    = "http2and3"
  is_ipv6_enabled = true
  price_class     = var.price_class
  web_acl_id      = aws_wafv2_web_acl.this.arn

  # A change is rolled out to every edge location in minutes; nothing that
  # depends on the distribution needs to wait for the last of them.
  wait_for_deployment = false

  dynamic "origin" {
    for_each = local.origins

    content {
      origin_id   = origin.key
      domain_name = origin.value.domain_name

      # One attempt, since each more lets a GET hang for the read timeout again.
      connection_attempts = 1
      connection_timeout  = origin.value.connection_timeout

      custom_origin_config {
        http_port              = 80
        https_port             = 443
        origin_protocol_policy = "https-only"
        origin_ssl_protocols   = ["TLSv1.2"]
        origin_read_timeout    = origin.value.read_timeout

        # How long a connection may be idle. One that is in use outlives a change of
        # DNS, for how long is documented nowhere: the least that costs no handshake
        # between one request of a busy edge and the next.
        origin_keepalive_timeout = 5
      }

      # The origin lock: a Region's web ACL lets in only requests that carry it.
      # CloudFront overwrites the header when a viewer sends one himself
      # (add-origin-custom-headers).
      custom_header {
        name  = "x-origin-key"
        value = var.origin_key.current
      }
    }
  }

  # One behaviour for every method. An origin group of the distribution's own can't
  # stand behind one that accepts writes, so the function makes one for each read
  # (functions/viewer_request.js), and DNS alone decides which Region takes a write.
  default_cache_behavior {
    target_origin_id = local.write_origin
    # The Region's gateway compresses. CloudFront would turn strong ETags into weak
    # ones on the way, and no If-Match would ever match again.
    compress                   = false
    viewer_protocol_policy     = "https-only"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods             = ["GET", "HEAD"]
    cache_policy_id            = data.aws_cloudfront_cache_policy.caching_disabled.id
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.viewer.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.security.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.viewer_request.arn
    }
  }

  # CloudFront keeps an error for 10 s unless configured otherwise, even where nothing
  # else is cached and the answer says no-store, and gives it to whoever asks for
  # the same path: one person's 404 to another, an outage's 504 to everybody after
  # it. No page is named, so that the API's own answer passes through.
  dynamic "custom_error_response" {
    for_each = local.error_codes_kept_by_cloudfront

    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = var.geo_restriction.restriction_type
      locations        = var.geo_restriction.locations
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.edge_certificate_arn
    minimum_protocol_version = var.minimum_tls_version
    ssl_support_method       = "sni-only"
  }
}
