CREATE TABLE "tcp_dashboard"."collector" (
	"name" text PRIMARY KEY,
	"exchange" text NOT NULL,
	"symbol" text NOT NULL,
	"config" jsonb NOT NULL,
	"status" text NOT NULL,
	"should_be_running" boolean NOT NULL,
	"health" jsonb NOT NULL,
	"statistics" jsonb NOT NULL,
	"updated_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."instrument" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tcp_dashboard"."instrument_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"exchange" text collate "C" NOT NULL,
	"symbol" text collate "C" NOT NULL,
	"kind" text NOT NULL,
	"packed" boolean DEFAULT false NOT NULL,
	CONSTRAINT "instrument_exchange_symbol" UNIQUE("exchange","symbol")
);
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."maintenance" (
	"job" text PRIMARY KEY,
	"ran_at" timestamp with time zone NOT NULL,
	"reached" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."market_point" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "tcp_dashboard"."market_point_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"ts" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"instrument_id" integer NOT NULL,
	"data_type" text NOT NULL,
	"data" jsonb NOT NULL
) PARTITION BY RANGE ("ts");
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."partition" (
	"name" text PRIMARY KEY,
	"relation" text NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"ends_at" timestamp with time zone NOT NULL,
	"made_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."trade" (
	"id" bigint NOT NULL,
	"ts" timestamp with time zone NOT NULL,
	"received_at" timestamp with time zone NOT NULL,
	"recorded_at" timestamp with time zone NOT NULL,
	"instrument_id" integer NOT NULL,
	"fill_count" integer NOT NULL,
	"side" "char" NOT NULL,
	"provenance" "char" NOT NULL,
	"trade_id" text collate "C" NOT NULL,
	"price" numeric NOT NULL,
	"size" numeric NOT NULL,
	"raw" jsonb
) PARTITION BY RANGE ("ts");
--> statement-breakpoint
CREATE TABLE "tcp_dashboard"."writer" (
	"id" smallint PRIMARY KEY,
	"epoch" bigint NOT NULL,
	"position" bigint NOT NULL,
	"claimed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "market_point_instrument_type_ts" ON "tcp_dashboard"."market_point" ("instrument_id","data_type","ts");--> statement-breakpoint
CREATE INDEX "market_point_ts" ON "tcp_dashboard"."market_point" USING brin ("ts") WITH (autosummarize=true);--> statement-breakpoint
CREATE INDEX "trade_instrument_ts" ON "tcp_dashboard"."trade" ("instrument_id","ts");--> statement-breakpoint
CREATE INDEX "trade_id" ON "tcp_dashboard"."trade" ("id");--> statement-breakpoint
CREATE INDEX "trade_ts" ON "tcp_dashboard"."trade" USING brin ("ts") WITH (autosummarize=true);