variable "name" {
  description = "Name of the dashboard."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.name))
    error_message = "name must be letters, digits, hyphens and underscores."
  }
}

variable "region" {
  description = "Region of every metric that names no other."
  type        = string
}

variable "rows" {
  description = "Rows from the top: {height in grid units, texts (Markdown, as wide as the page), graphs (side by side): {title, metrics as a dashboard's body has them, line: {value, label} or null}}."
  # Metrics are lists of texts that end with an object, each its own: no type says that.
  type = any

  validation {
    condition     = alltrue([for row in var.rows : row.height >= 1 && length(row.texts) + length(row.graphs) > 0])
    error_message = "Every row needs a height, and a text or a graph."
  }

  validation {
    condition     = alltrue([for row in var.rows : length(row.texts) <= 1 && (length(row.texts) == 0 || length(row.graphs) == 0)])
    error_message = "A row is one text or graphs side by side: a text takes the whole width."
  }
}
