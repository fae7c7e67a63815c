# What every test starts from; a run says only what it is about.
name                 = "landing-test"
region               = "us-east-1"
role                 = "primary"
domain_name          = "example.com"
certificate_arn      = "arn:aws:acm:us-east-1:111111111111:certificate/0"
user_pool_arns       = ["arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_a"]
user_pool_client_ids = ["0example0client"]
table_name           = "items"
table_arn            = "arn:aws:dynamodb:us-east-1:111111111111:table/items"
kms_key_arn          = "arn:aws:kms:us-east-1:111111111111:key/mrk-0"
openapi_path         = "../../lambda/openapi.yaml"

# Any file does: the package is only hashed here.
package_path = "./main.tf"

origin_key = {
  current  = "11111111-1111-1111-1111-111111111111"
  previous = "00000000-0000-0000-0000-000000000000"
}
peer_region = "us-west-2"

alarm_emails = ["somebody@example.com"]
