# The key that the edge sends and the Regions let in. One per rotation, made once and kept: raising
# the rotation by one makes a new current key and keeps the one that the edge still sends as the
# previous one, so that no request is refused while the change travels. Raised by more at once, the
# key in use is forgotten, and the Regions refuse every request until the edge sends the new one.
resource "terraform_data" "origin_key" {
  for_each = toset([
    tostring(var.origin_key_rotation),
    tostring(var.origin_key_rotation - 1),
  ])

  # Kept here and not in `input`, whose copy in `output` Terraform would print in the clear.
  triggers_replace = sensitive(uuid())

  lifecycle {
    # `uuid()` gives another value on every run; only the first one counts.
    ignore_changes = [triggers_replace]
  }
}
