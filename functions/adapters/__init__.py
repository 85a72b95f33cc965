"""All input and output: S3 through obstore, everything else through boto3."""
